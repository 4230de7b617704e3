import { describe, expect, it } from 'vitest';
import { normalizeRepositoryUrl, sameRepository } from '../../../lib/src/lane/repository-url.ts';

describe('repository URLs', () => {
  it.each([
    ['https://git.example.com/a/b.git', 'git.example.com/a/b'],
    ['https://GIT.Example.com:443/a/b/', 'git.example.com/a/b'],
    ['http://git.example.com:80/a/b', 'git.example.com/a/b'],
    ['http://git.example.com:8080/a/b.git', 'git.example.com:8080/a/b'],
    ['ssh://git@git.example.com:22/a/b.git', 'git.example.com/a/b'],
    ['git://git.example.com:9418/a/b', 'git.example.com/a/b'],
    ['git@git.example.com:a/b.git', 'git.example.com/a/b'],
    ['git.example.com:a/b', 'git.example.com/a/b'],
    ['git@git.example.com:/a/b.git/', 'git.example.com/a/b'],
    ['https://user:pass@git.example.com/a//b', 'git.example.com/a/b'],
    ['file:///srv/git/b.git', '/srv/git/b'],
    ['file://localhost/srv/git/b.git', '/srv/git/b'],
    ['/srv/git/b.git', '/srv/git/b'],
    ['C:/git/b.git', 'C:/git/b'],
    ['https://[2001:DB8::1]:443/a', '[2001:db8::1]/a'],
    ['git@[2001:DB8::1]:a', '[2001:db8::1]/a'],
  ])('%s is %s', (url, normalized) => {
    expect(normalizeRepositoryUrl(url)).toBe(normalized);
  });

  it('name one repository when only the way there differs', () => {
    expect(sameRepository('ssh://git@git.example.com/a/b.git', 'https://git.example.com/a/b')).toBe(true);
    expect(sameRepository('git@git.example.com:a/b.git', 'ssh://git.example.com/a/b/')).toBe(true);
    expect(sameRepository('/srv/git/b', 'file:///srv/git/b.git')).toBe(true);
  });

  it('name two repositories when host, port or path differ', () => {
    expect(sameRepository('https://git.example.com/a/b', 'https://mirror.example.com/a/b')).toBe(false);
    expect(sameRepository('https://git.example.com:8443/a/b', 'https://git.example.com/a/b')).toBe(false);
    expect(sameRepository('https://git.example.com/a/b', 'https://git.example.com/A/b')).toBe(false);
    expect(sameRepository('ssh://git.example.com:443/a/b', 'https://git.example.com/a/b')).toBe(false);
  });
});

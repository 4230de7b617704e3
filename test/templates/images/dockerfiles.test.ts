import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dockerfileProblems, parseStages } from '../../helpers/dockerfile.ts';

const root = join(import.meta.dirname, '../../..');
const images = ['manager', 'runner', 'tools'];
const dockerfile = (image: string): string => readFileSync(join(root, 'templates/images', image, 'Dockerfile'), 'utf8');

const exists = (path: string): boolean => existsSync(join(root, path));

describe.each(images)('the Dockerfile of %s', (image) => {
  it('copies what exists, runs as user 10001, and starts what it copied', () => {
    expect(dockerfileProblems(dockerfile(image), exists)).toEqual([]);
  });

  it('copies the manifest of every workspace, without which npm ci refuses the lock file', () => {
    const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };
    for (const workspace of workspaces)
      expect(dockerfile(image)).toContain(`COPY ${workspace}/package.json ${workspace}/package.json\n`);
  });

  it('builds on the same base, and leaves packages and history out of the context', () => {
    expect(parseStages(dockerfile(image))[0]).toMatchObject({ name: 'base', from: 'node:24-bookworm-slim' });
    const ignored = readFileSync(join(root, 'templates/images', image, 'Dockerfile.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.git', '**/node_modules', '**/dist']));
  });

  it('names no machine path and no registry of packages', () => {
    expect(dockerfile(image)).not.toMatch(/registry\.npm|npmjs|\/work\b|\/root\b|\/Users\b/);
  });
});

describe('the environment images', () => {
  it.each(['manager', 'runner'])('of %s put things where the boot script looks for them', (image) => {
    const stages = parseStages(dockerfile(image));
    const text = dockerfile(image);
    expect(stages.at(-1)?.name, 'the default target').toBe('environment');
    expect(text).toContain('WORKDIR /opt/agentrun/environment\n');
    expect(text).toContain('> package-lock.sha256');
    expect(text).toContain('COPY --from=bundles /baked /opt/agentrun/baked\n');
    expect(text).toContain('> /baked/COMMIT');
    expect(text).toContain('ENTRYPOINT ["/opt/agentrun/agentrun-boot.sh"]');
    expect(readFileSync(join(root, 'templates/boot/agentrun-boot.sh'), 'utf8')).toContain(
      'prefix=${AGENTRUN_BOOT_PREFIX:-/opt/agentrun}',
    );
  });

  it.each(['manager', 'runner'])('of %s find the bundler among the packages that they install', (workspace) => {
    const path = join(root, workspace, 'package.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string> | undefined>;
    expect({ ...manifest['dependencies'], ...manifest['devDependencies'] }).toHaveProperty('esbuild');
  });
});

describe('the check of Dockerfiles', () => {
  const good = [
    'ARG IMAGE=node:24',
    'FROM ${IMAGE} AS build',
    'WORKDIR /out',
    'COPY here.txt ./',
    'FROM build AS image',
    'LABEL a="b"',
    'COPY --from=build /out/here.txt /bin/start',
    'USER 10001',
    'ENTRYPOINT ["/bin/start"]',
  ];
  const problems = (...lines: string[]) => dockerfileProblems(lines.join('\n'), (path) => path === 'here.txt');
  const replaced = (from: string, to: string) => problems(...good.map((line) => (line === from ? to : line)));

  it('accepts a good one', () => {
    expect(problems(...good)).toEqual([]);
  });

  it.each([
    ['COPY here.txt ./', 'COPY gone.txt here.txt ./', 'COPY gone.txt: does not exist'],
    ['COPY here.txt ./', 'ADD here.txt ./', 'ADD here.txt ./: use COPY'],
    ['COPY here.txt ./', 'RUN curl https://example.com/x', 'a command fetches from a URL'],
    ['COPY here.txt ./', 'RUN npm ci \\\n && true', 'npm runs install scripts'],
    ['COPY here.txt ./', 'RUN node gone/bundle.mjs', 'a command runs gone/bundle.mjs, which does not exist'],
    ['ARG IMAGE=node:24', 'ARG IMAGE=node', 'the image node has no tag'],
    ['ARG IMAGE=node:24', 'ARG IMAGE=node:latest', 'the image node:latest is a moving tag'],
    ['FROM build AS image', 'FROM node:24 AS build', 'two stages are named build'],
    [
      'COPY --from=build /out/here.txt /bin/start',
      'COPY --from=none /x /bin/start',
      'COPY --from=none: no earlier stage',
    ],
    [
      'COPY --from=build /out/here.txt /bin/start',
      'COPY --from=build /no /bin/start',
      '/no: nothing in that stage makes it',
    ],
    ['USER 10001', 'USER root', 'image: USER is "root", not 10001'],
    ['USER 10001', '# none', 'image: USER is "", not 10001'],
    ['ENTRYPOINT ["/bin/start"]', 'ENTRYPOINT ["/bin/other"]', 'image: the entrypoint /bin/other was not copied'],
    ['LABEL a="b"', '', 'image: no labels'],
  ])('refuses %s -> %s', (from, to, message) => {
    expect(replaced(from, to).join('\n')).toContain(message);
  });
});

import { describe, expect, it } from 'vitest';
import { checkOutputPaths } from '../../../lib/src/check/output-path.ts';

describe('checkOutputPaths', () => {
  it('accepts relative paths with any printable names', () => {
    const paths = [
      'a',
      'a.yaml',
      'b/c/d.yaml',
      '.agentrun/lanes/v0.1.json',
      '.gitignore',
      'x/.github/y',
      'Größe/日本.yaml',
      '...x',
      'a b',
      'git~10',
    ];
    expect(checkOutputPaths(paths)).toEqual([]);
  });

  it.each([
    ['', 'is empty'],
    ['/etc/passwd', 'is absolute'],
    ['a//b', 'has an empty segment'],
    ['a/', 'has an empty segment'],
    ['.', 'has the segment "."'],
    ['a/./b', 'has the segment "."'],
    ['../a', 'has the segment ".."'],
    ['a/..', 'has the segment ".."'],
    ['a\0b', 'holds a control character'],
    ['a\nb', 'holds a control character'],
    ['a\u007fb', 'holds a control character'],
    ['a\u0085b', 'holds a control character'],
    ['a\\b', 'holds a backslash'],
    ['C:/a', 'begins with a drive letter'],
    ['c:a', 'begins with a drive letter'],
    ['a./b', 'ends with a dot'],
    ['a ', 'ends with a space'],
    ['.git', 'lies in a .git folder'],
    ['.git/config', 'lies in a .git folder'],
    ['sub/.GIT/config', 'lies in a .git folder'],
    ['.g\u200cit/config', 'lies in a .git folder'],
    ['GIT~1/config', 'lies in a .git folder'],
    ['.git::$INDEX_ALLOCATION/config', 'lies in a .git folder'],
    ['a\ud800', 'holds half of a surrogate pair'],
  ])('refuses %j', (path, fault) => {
    const problems = checkOutputPaths(['good.yaml', path]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'output-path', path });
    expect(problems[0]?.message).toContain(fault);
    expect(problems[0]?.message).toContain(JSON.stringify(path));
  });

  it.each([
    [['a', 'a'], 'given twice'],
    [['Pod.yaml', 'pod.yaml'], 'case or Unicode form'],
    [['caf\u00e9', 'cafe\u0301'], 'case or Unicode form'],
    [['stra\u00dfe', 'STRASSE'], 'case or Unicode form'],
    [['\u039f\u03a3', '\u03bf\u03c2', 'x'], 'case or Unicode form'],
    [['A/x', 'a/y'], 'case or Unicode form'],
    [['a', 'a/b'], 'lies below "a", which is a file'],
    [['a/b/c', 'a/b'], '"a/b" is a file, but another path lies below it'],
    [['A', 'a/b'], 'lies below "A", which is a file'],
  ])('refuses %j together', (paths, fault) => {
    const problems = checkOutputPaths(paths);
    expect(problems.map((problem) => problem.code)).toEqual(['output-path-conflict']);
    expect(problems[0]?.message).toContain(fault);
  });

  it('names every bad path at once', () => {
    const problems = checkOutputPaths(['a', '../b', 'A', 'c/', 'd']);
    expect(problems.map((problem) => problem.code)).toEqual(['output-path', 'output-path-conflict', 'output-path']);
  });
});

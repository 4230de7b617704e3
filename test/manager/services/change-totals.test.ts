import { describe, expect, it } from 'vitest';
import { merged, totalsOf, withChange } from '../../../manager/src/services/change-totals.ts';

const DIFF = '--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-one\n+two\n+three\n';

describe('what the diffs of a turn come to', () => {
  it('counts lines without the heads of the diff, and bytes', () => {
    expect(totalsOf(withChange({}, 'x', DIFF))).toEqual({
      files: 1,
      insertions: 2,
      deletions: 1,
      patchBytes: DIFF.length,
    });
  });

  it('counts a file once, however often it was changed', () => {
    const twice = withChange(withChange({}, 'x', DIFF), 'x', DIFF);
    expect(totalsOf(merged(twice, withChange({}, 'y', DIFF)))).toMatchObject({ files: 2, insertions: 6, deletions: 3 });
  });

  it('stays small with very many files', () => {
    let changes = {};
    for (let number = 0; number < 3000; number += 1) changes = withChange(changes, `file-${number}`, DIFF);
    expect(Object.keys(changes).length).toBe(2001);
    expect(totalsOf(changes)).toMatchObject({ insertions: 6000 });
  });
});

import { type BranchPlan, maskSecrets } from '@agentrun/lib';
import { createTwoFilesPatch } from 'diff';
import { maskSecretObjects } from './mask-secret-objects.ts';

/**
 * What a plan would change on a branch, as a unified diff. Secrets that somebody put there are masked, before the lines
 * get their marks: a private key has many lines, and no mark in between.
 */
export function fileDiff(plan: BranchPlan, before: ReadonlyMap<string, string>): string {
  const patches = [
    ...plan.writes.map(({ path, content }) => patch(path, before.get(path), content)),
    ...plan.removals.map((path) => patch(path, before.get(path), undefined)),
  ];
  return patches.join('');
}

function patch(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const [from, to] = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ];
  const text = createTwoFilesPatch(from, to, masked(before), masked(after), undefined, undefined, { context: 3 });
  return text.replace(/^=+\n/, '');
}

/** The value of a variable whose name says that it is a secret: `- name: DB_PASSWORD` and `value: ...` below it. */
const NAMED_VALUE = /(name: *["']?\w*(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)["']? *\n\s*value: *)[^\n]+/g;

const masked = (content = ''): string => maskSecrets(maskSecretObjects(content)).replaceAll(NAMED_VALUE, '$1[secret]');

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const SCRIPT = 'templates/images/env-identity.sh';
const parts = (image: string): string[] => [
  `templates/images/${image}/Dockerfile`,
  'package-lock.json',
  'templates/boot/agentrun-boot.sh',
];

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'agentrun-identity-'));
  for (const path of new Set([SCRIPT, ...parts('manager'), ...parts('runner')])) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await cp(join(repository, path), join(root, path));
  }
});
afterEach(() => rm(root, { recursive: true, force: true }));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile('sh', [join(root, SCRIPT), ...args], { cwd: '/' }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe('the identity of an environment image', () => {
  it.each([
    [[], 'manager'],
    [['manager'], 'manager'],
    [['runner'], 'runner'],
  ] as const)('for %j is the hash of Dockerfile, lock file and boot script, in this order', async (args, image) => {
    const bytes = await Promise.all(parts(image).map((path) => readFile(join(root, path))));
    const digest = createHash('sha256').update(Buffer.concat(bytes)).digest('hex').slice(0, 12);
    expect(await run(...args)).toEqual({ code: 0, stdout: `env-${digest}\n`, stderr: '' });
  });

  it.each(parts('manager'))('changes with %s', async (path) => {
    const before = await run();
    await appendFile(join(root, path), '\n');
    const after = await run();
    expect(after.code).toBe(0);
    expect(after.stdout).not.toBe(before.stdout);
  });

  it('is refused for an image that is none, and when a part is missing', async () => {
    expect(await run('tools')).toMatchObject({ code: 2, stdout: '' });
    await rm(join(root, 'package-lock.json'));
    const result = await run();
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('cannot read');
  });
});

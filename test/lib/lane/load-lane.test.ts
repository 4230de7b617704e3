import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentRunError } from '../../../lib/src/errors.ts';
import { loadLane, loadLaneSync } from '../../../lib/src/lane/load-lane.ts';

const fixture = join(import.meta.dirname, '../../fixtures/lanes/v0.1.yaml');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentrun-lanes-'));
  copyFileSync(fixture, join(folder, 'v0.1.yaml'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The error of both ways to load; they must agree. */
async function refusal(name: string): Promise<AgentRunError> {
  const path = join(folder, name);
  const options = { displayPath: `lanes/${name}` };
  const error: unknown = await loadLane(path, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(() => loadLaneSync(path, options)).toThrow(expect.objectContaining({ message: (error as Error).message }));
  expect(error).toBeInstanceOf(AgentRunError);
  return error as AgentRunError;
}
const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
const good = () => readFileSync(fixture, 'utf8');

describe('loading a lane', () => {
  it('gives the lane, its text and its positions', async () => {
    const loaded = await loadLane(join(folder, 'v0.1.yaml'), { displayPath: 'lanes/v0.1.yaml' });
    expect(loaded).toMatchObject({ file: 'lanes/v0.1.yaml', text: good(), problems: [], lane: { version: 'v0.1' } });
    expect(loaded.positionOf('version')).toMatchObject({ line: 2, column: 10 });
    expect(loadLaneSync(join(folder, 'v0.1.yaml')).lane).toEqual(loaded.lane);
  });

  it('refuses a lane with errors, with the code of the first and all of them inside', async () => {
    write('v0.2.yaml', good().replace('nodeId: node-a', 'nodeId: 5').replace('port: 5432', 'port: 1'));
    const error = await refusal('v0.2.yaml');
    expect(error.code).toBe('lane-version-mismatch');
    expect(error.problems.map(({ code, file }) => [code, file])).toEqual([
      ['lane-version-mismatch', 'lanes/v0.2.yaml'],
      ['lane-type', 'lanes/v0.2.yaml'],
      ['lane-value', 'lanes/v0.2.yaml'],
    ]);
  });

  it('refuses a lane whose file has another name than its version', async () => {
    write('v0.3.yaml', good());
    const error = await refusal('v0.3.yaml');
    expect(error.code).toBe('lane-version-mismatch');
    expect(error.problems[0]).toMatchObject({
      line: 2,
      column: 10,
      lanePath: 'version',
      hint: expect.stringContaining('v0.1.yaml'),
    });
    expect(error.problems[0]?.frame).toContain('> 2 | version: v0.1');
  });

  it('names the lanes that exist when one does not, and the one that is meant', async () => {
    const error = await refusal('v0.11.yaml');
    expect(error.code).toBe('lane-not-found');
    expect(error.message).toContain('lanes/v0.11.yaml does not exist; the lanes in its folder are v0.1');
    expect(error.hint).toBe('Did you mean v0.1?');
    expect((await refusal('no/folder/v0.1.yaml')).message).toContain('there is no lane in its folder');
    expect((await refusal('v0.1.yaml/v0.1.yaml')).code).toBe('lane-not-found');
  });

  it('refuses a directory, a file that is too large, and one that may not be read', async () => {
    mkdirSync(join(folder, 'v0.4.yaml'));
    expect((await refusal('v0.4.yaml')).message).toBe('lanes/v0.4.yaml is a directory; a lane is a file');
    write('v0.5.yaml', `${good()}#${'x'.repeat(1024 * 1024)}\n`);
    expect((await refusal('v0.5.yaml')).message).toMatch(/has \d+ bytes; a lane file has at most 1048576/);
    if (process.getuid?.() !== 0) {
      write('v0.6.yaml', good());
      chmodSync(join(folder, 'v0.6.yaml'), 0);
      expect((await refusal('v0.6.yaml')).code).toBe('lane-unreadable');
    }
  });

  it('refuses bytes that are no UTF-8 text, at their place', async () => {
    write(
      'v0.7.yaml',
      Buffer.concat([Buffer.from('version: v0.7\nnodeId: ä'), Buffer.from([0xe4]), Buffer.from('x\n')]),
    );
    const error = await refusal('v0.7.yaml');
    expect(error.code).toBe('lane-unreadable');
    expect(error.problems[0]).toMatchObject({ line: 2, column: 10, message: expect.stringContaining('byte 0xe4') });
    write('v0.8.yaml', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good(), 'utf16le')]));
    expect((await refusal('v0.8.yaml')).message).toBe('lanes/v0.8.yaml is UTF-16 text; a lane is UTF-8 text');
    write('v0.10.yaml', Buffer.concat([Buffer.from('a: '), Buffer.from('ä').subarray(0, 1)]));
    expect((await refusal('v0.10.yaml')).problems[0]).toMatchObject({ line: 1, column: 4 });
  });

  it('refuses a byte order mark and an empty file', async () => {
    write('v0.9.yaml', `\ufeff${good()}`);
    expect((await refusal('v0.9.yaml')).code).toBe('lane-unreadable');
    write('v0.12.yaml', '');
    expect((await refusal('v0.12.yaml')).code).toBe('lane-empty');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILE_DATA } from '@agentrun/lib/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { BackendSetup, ofType } from '../../conformance/backend-setup.ts';

const setups: BackendSetup[] = [];

afterEach(async () => {
  await Promise.all(setups.splice(0).map((setup) => setup.remove()));
});

function prepare(): BackendSetup {
  const setup = new BackendSetup(PROFILE_DATA.demo.config);
  setups.push(setup);
  return setup;
}

describe('the demo profile', () => {
  it('streams text, writes a file with a diff, and runs a command', async () => {
    const setup = prepare();
    const { events, terminalStatus, usage } = await setup.run(await setup.open(), 'show me around');
    expect(terminalStatus).toBe('completed');
    expect(ofType(events, 'assistant_delta').length).toBeGreaterThan(5);
    expect(ofType(events, 'assistant_message').map(({ text }) => text)).toEqual([
      'You asked: "show me around". This is the first turn of our conversation.',
      'Done: "show me around" stands in demo-notes.md now, and the command printed 2 lines.',
    ]);
    expect(ofType(events, 'file_change')).toMatchObject([
      {
        path: 'demo-notes.md',
        kind: 'add',
        diff: '--- /dev/null\n+++ b/demo-notes.md\n@@ -0,0 +1,3 @@\n+# Notes of the demo agent\n+\n+- turn 1: show me around\n',
      },
    ]);
    expect(readFileSync(join(setup.workspace, 'demo-notes.md'), 'utf8')).toContain('- turn 1: show me around\n');
    expect(ofType(events, 'tool_end')).toMatchObject([
      { toolName: 'write_file', status: 'ok' },
      { toolName: 'shell', status: 'ok', exitCode: 0, output: '3\n- turn 1: show me around\n' },
    ]);
    expect(usage).toMatchObject({ input: 3 });
  });

  it('remembers the conversation in a new process, and starts others anew', async () => {
    const setup = prepare();
    const first = await setup.run(await setup.open(), 'plant a tree');
    const second = await setup.run(await setup.open(), 'water it', { threadId: first.threadId ?? null });
    expect(ofType(second.events, 'assistant_message')[0]?.['text']).toBe(
      'You asked: "water it". This is turn 2; your first was: "plant a tree".',
    );
    expect(ofType(second.events, 'file_change')).toMatchObject([
      { kind: 'update', diff: expect.stringContaining('@@ -1,3 +1,4 @@') },
    ]);
    const other = await setup.run(await setup.open(), 'who are you?');
    expect(ofType(other.events, 'assistant_message')[0]?.['text']).toContain('the first turn');
  });

  it('does the same again for the same prompts', async () => {
    const said: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      const setup = prepare();
      const { events } = await setup.run(await setup.open(), 'the same');
      // Output comes in pieces as the system pleases, and time is no promise.
      const lasting = events.filter(({ type }) => !['backend_status', 'tool_output'].includes(type));
      said.push(lasting.map(({ type, payload }) => ({ type, payload: { ...payload, durationMs: 0 } })));
    }
    expect(said[0]).toEqual(said[1]);
  });

  it('stops with its command when it is interrupted', async () => {
    const setup = prepare();
    const session = await setup.open();
    const turn = setup.turn(session, 'be slow');
    await turn.until(({ type, payload }) => type === 'tool_output' && String(payload['text']).includes('step 1 of 20'));
    expect(await session.interrupt(5000)).toBe(true);
    expect((await turn.result).terminalStatus).toBe('cancelled');
    expect(await setup.living()).toEqual([]);
    expect(ofType(turn.events, 'tool_end').at(-1)).toMatchObject({ toolName: 'shell', status: 'aborted' });
  });
});

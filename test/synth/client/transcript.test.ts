import type { RunEvent } from '@agentrun/lib/contract';
import { describe, expect, it } from 'vitest';
import { Transcript, type TranscriptOptions } from '../../../synth/src/client/transcript/transcript.ts';

let seq = 0;
const event = (type: RunEvent['type'], payload: RunEvent['payload'] = {}, second = 0): RunEvent => {
  seq += 1;
  const createdAt = `2026-01-01T00:00:0${second}.000Z`;
  return { id: `evt_${seq}`, runId: 'run_1', seq, type, payload, createdAt };
};
const delta = (text: string, itemId = 'm1') => event('assistant_delta', { itemId, text });
const whole = (text: string, itemId = 'm1') => event('assistant_message', { itemId, text });

function shown(events: readonly RunEvent[], options: Partial<TranscriptOptions> = {}): string {
  let text = '';
  const transcript = new Transcript({
    colour: false,
    columns: 60,
    outputLines: 4,
    diffLines: 5,
    write: (piece) => {
      text += piece;
    },
    ...options,
  });
  for (const one of events) transcript.event(one);
  transcript.end();
  return text;
}

describe('what the agent says', () => {
  it('is written as it comes, and not again when it comes as a whole', () => {
    expect(shown([delta('Hel'), delta('lo.'), whole('Hello.')])).toBe('Hello.\n');
  });

  it('is written as a whole where no piece came', () => {
    expect(shown([whole('Hello.')])).toBe('Hello.\n');
  });

  it('is completed where the last pieces are missing', () => {
    expect(shown([delta('Hel'), whole('Hello.')])).toBe('Hello.\n');
  });

  it('is written anew where a piece in between is missing', () => {
    expect(shown([delta('Hel'), delta('.'), whole('Hello.')])).toBe('Hel.Hello.\n');
  });

  it('is set apart from the next message', () => {
    expect(shown([delta('One.', 'a'), whole('One.', 'a'), delta('Two.', 'b'), whole('Two.', 'b')])).toBe(
      'One.\n\nTwo.\n',
    );
  });

  it('comes anew after it broke off', () => {
    const events = [delta('Hel'), event('retry', { message: 'broke off', voidItemIds: ['m1'] }), delta('Hello.')];
    expect(shown(events)).toBe('Hel\n\n(asked again: broke off)\n\nHello.\n');
  });

  it('cannot steer the terminal', () => {
    expect(shown([whole('\u001b[2J\u001b]0;title\u0007red \u001b[31mline\u001b[0m \u202eback \u0008')])).toBe(
      'red line \\u202eback \\u0008\n',
    );
  });
});

describe('a tool call', () => {
  const begin = event('tool_begin', { itemId: 't1', toolName: 'shell', command: 'make test' });

  it('shows the command as one would type it, its output indented, and says nothing of a good end', () => {
    const events = [
      begin,
      event('tool_output', { itemId: 't1', text: 'one\ntw' }),
      event('tool_output', { itemId: 't1', text: 'o\n' }),
    ];
    expect(
      shown([...events, event('tool_end', { itemId: 't1', status: 'ok', exitCode: 0, output: 'one\ntwo\n' })]),
    ).toBe('$ make test\n  one\n  two\n');
  });

  it('shows its output from the end where it did not stream', () => {
    const end = event('tool_end', { itemId: 't1', status: 'ok', exitCode: 0, output: 'one\ntwo\n' });
    expect(shown([begin, end])).toBe('$ make test\n  one\n  two\n');
  });

  it('cuts long output, and long lines', () => {
    const output = `${'x'.repeat(100)}\n${'line\n'.repeat(9)}`;
    const text = shown([begin, event('tool_end', { itemId: 't1', status: 'ok', output })]);
    expect(text).toBe(`$ make test\n  ${'x'.repeat(57)}…\n${'  line\n'.repeat(3)}  … 6 more lines\n`);
  });

  it('says how it failed, and how long it took', () => {
    const end = event('tool_end', { itemId: 't1', status: 'failed', exitCode: 2, durationMs: 65_000, output: 'no\n' });
    expect(shown([begin, end])).toBe('$ make test\n  no\n  (failed, exit code 2, 1 min 5 s)\n');
  });

  it('is named again when another one came in between', () => {
    const events = [
      begin,
      event('tool_begin', { itemId: 't2', toolName: 'grep', input: { query: 'x' } }),
      event('tool_output', { itemId: 't1', text: 'late\n' }),
    ];
    expect(shown(events)).toBe('$ make test\n* grep x\n$ make test\n  late\n');
  });

  it('shows the last state of a line that was written over', () => {
    expect(shown([begin, event('tool_output', { itemId: 't1', text: '10 %\r50 %\r100 %\r\ndone\n' })])).toBe(
      '$ make test\n  100 %\n  done\n',
    );
  });

  it('counts wide characters as two columns', () => {
    const text = shown([begin, event('tool_output', { itemId: 't1', text: `${'漢'.repeat(40)}\n` })]);
    expect(text).toBe(`$ make test\n  ${'漢'.repeat(28)}…\n`);
  });
});

describe('a change of a file', () => {
  const diff = '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n';

  it('shows the hunks, and counts the lines', () => {
    expect(shown([event('file_change', { path: 'x', kind: 'update', diff })])).toBe(
      '* x: changed, +1 -1\n  @@ -1,2 +1,2 @@\n   same\n  -old\n  +new\n',
    );
  });

  it('is coloured on a terminal that wants it', () => {
    const text = shown([event('file_change', { path: 'x', kind: 'update', diff })], { colour: true });
    expect(text).toContain('\u001b[32m+new\u001b[0m');
    expect(text).toContain('\u001b[31m-old\u001b[0m');
  });

  it('is cut when it is long', () => {
    const long = `@@ -0,0 +1,9 @@\n${'+line\n'.repeat(9)}`;
    expect(shown([event('file_change', { path: 'x', kind: 'add', diff: long })])).toContain('  … 5 more lines\n');
  });
});

describe('how it goes', () => {
  it('shows what the person said once, though the manager and the agent both tell it', () => {
    const said = { commandId: 'cmd_1', text: 'Do it.\nNow.' };
    expect(shown([event('user_message', said), event('user_message', { ...said, kind: 'turn' })])).toBe(
      '> Do it.\n> Now.\n',
    );
  });

  it('says how a turn ended, how long it took, and what to do', () => {
    const end = { phase: 'command-terminal', commandId: 'cmd_1', commandType: 'turn' };
    const begun = event('backend_status', { phase: 'command-acknowledged', commandId: 'cmd_1' });
    expect(shown([begun, event('backend_status', { ...end, terminalStatus: 'completed' }, 3)])).toBe(
      '(turn completed in 3.0 s)\n',
    );
    const failed = { ...end, terminalStatus: 'blocked', failureKind: 'provider-quota', message: 'used up' };
    expect(shown([event('backend_status', failed)])).toBe(
      'turn blocked [provider-quota]: used up\n  hint: Raise the quota at the provider, or use another profile.\n',
    );
  });

  it('does not say twice why a turn failed', () => {
    const failure = { failureKind: 'profile-invalid', message: 'there is no program "codex"' };
    const end = { phase: 'command-terminal', commandType: 'turn', terminalStatus: 'blocked', ...failure };
    expect(shown([event('error', failure), event('backend_status', end)])).toBe(
      'error[profile-invalid] there is no program "codex"\nturn blocked [profile-invalid]\n' +
        '  hint: Correct the profile; validate it before the next run.\n',
    );
  });

  it('shows reasoning, but not all of it', () => {
    const text = Array.from({ length: 20 }, (_, index) => `thought ${index}\n`).join('');
    const lines = shown([event('reasoning', { itemId: 'r', text })])
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(7);
    expect(lines.at(-1)).toBe('…');
  });

  it('takes an event without its members, and with others than it knows', () => {
    const types = [
      'tool_begin',
      'tool_output',
      'tool_end',
      'file_change',
      'error',
      'warning',
      'approval',
      'usage',
    ] as const;
    expect(() => shown(types.map((type) => event(type, { itemId: 7, text: null, input: [1] })))).not.toThrow();
  });
});

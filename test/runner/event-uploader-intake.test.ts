import { type EventInput, type EventType, streamRedactor } from '@agentrun/lib/contract';
import { describe, expect, it } from 'vitest';
import { EventIntake } from '../../runner/src/event-uploader-intake.ts';

const SECRET = 'sk-of-the-profile-0815';

function intake(): {
  readonly take: (type: EventType, payload: Record<string, unknown>) => void;
  readonly out: EventInput[];
  readonly end: () => void;
  readonly settle: () => void;
} {
  const out: EventInput[] = [];
  const made = new EventIntake(
    streamRedactor([SECRET]),
    (type, payload) => void out.push({ type, payload: { ...payload } }),
  );
  return {
    take: (type, payload) => made.take({ type, payload }),
    out,
    end: () => made.end(),
    settle: () => made.settle(),
  };
}

const texts = (out: readonly EventInput[]): unknown[] => out.map(({ payload }) => payload?.['text']);

describe('what becomes of events before they are sent', () => {
  it('merges the pieces of each item until something else comes', () => {
    const { take, out } = intake();
    take('assistant_delta', { itemId: 'a', text: 'one ' });
    take('assistant_delta', { itemId: 'b', text: 'other' });
    take('assistant_delta', { itemId: 'a', text: 'two' });
    expect(out).toEqual([]);
    take('tool_begin', { itemId: 't' });
    expect(out.map(({ type, payload }) => [type, payload?.['itemId'], payload?.['text']])).toEqual([
      ['assistant_delta', 'a', 'one two'],
      ['assistant_delta', 'b', 'other'],
      ['tool_begin', 't', undefined],
    ]);
  });

  it('passes merged pieces on when they have become 4 KiB', () => {
    const { take, out } = intake();
    for (let count = 0; count < 50; count += 1) take('assistant_delta', { itemId: 'a', text: 'x'.repeat(100) });
    expect(texts(out)).toEqual(['x'.repeat(4100)]);
  });

  it('keeps stdout and stderr of a tool apart', () => {
    const { take, out, settle } = intake();
    take('tool_output', { itemId: 't', mode: 'append', stream: 'stdout', text: 'out' });
    take('tool_output', { itemId: 't', mode: 'append', stream: 'stderr', text: 'err' });
    settle();
    expect(texts(out)).toEqual(['out', 'err']);
  });

  it('does not merge what takes the place of something, or was cut', () => {
    const { take, out } = intake();
    take('tool_output', { itemId: 't', mode: 'replace', text: 'whole' });
    take('tool_output', { itemId: 't', text: 'cut', truncatedBytes: 5 });
    expect(out).toHaveLength(2);
  });

  it('takes a secret out that is spread over pieces, and holds back only what may begin one', () => {
    const { take, out, settle } = intake();
    take('assistant_delta', { itemId: 'a', text: `the key is ${SECRET.slice(0, 9)}` });
    settle();
    expect(texts(out)).toEqual(['the key is ']);
    take('assistant_delta', { itemId: 'a', text: `${SECRET.slice(9)} as you see` });
    settle();
    expect(texts(out).join('')).toBe('the key is [secret] as you see');
  });

  it('gives out what was held back when the item ends, before its end', () => {
    const { take, out } = intake();
    take('tool_output', { itemId: 't', text: `ends with ${SECRET.slice(0, 9)}` });
    take('tool_end', { itemId: 't', output: `ends with ${SECRET.slice(0, 9)}` });
    expect(texts(out).slice(0, -1).join('')).toBe(`ends with ${SECRET.slice(0, 9)}`);
    expect(out.at(-1)?.type).toBe('tool_end');
  });

  it('gives out everything of a turn when the turn ends', () => {
    const { take, out } = intake();
    take('assistant_delta', { itemId: 'a', text: SECRET.slice(0, 9), commandId: 'cmd_1' });
    take('backend_status', { phase: 'turn-failed', commandId: 'cmd_1' });
    expect(out.map(({ type }) => type)).toEqual(['assistant_delta', 'backend_status']);
  });

  it('takes secrets out of every text of a payload, in every form', () => {
    const { take, out } = intake();
    take('tool_end', {
      itemId: 't',
      output: `key=${SECRET}`,
      input: { headers: [`Bearer ${SECRET}`, Buffer.from(`user:${SECRET}`).toString('base64')], [SECRET]: 1 },
    });
    const text = JSON.stringify(out);
    expect(text).not.toContain(SECRET);
    expect(Buffer.from(text, 'base64').toString()).not.toContain(SECRET);
    expect(text).toContain('[secret]');
  });

  it('cleans texts of what no store takes', () => {
    const { take, out } = intake();
    take('warning', { message: 'nul \0 and half \ud800 a pair' });
    expect(out[0]?.payload?.['message']).toBe('nul \ufffd and half \ufffd a pair');
  });
});

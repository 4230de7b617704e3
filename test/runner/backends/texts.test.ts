import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPayload, cleanText, cutText } from '../../../runner/src/backends/clean-payload.ts';
import { LineSplitter, type StreamLine } from '../../../runner/src/backends/line-splitter.ts';

describe('a payload', () => {
  it('holds neither NUL nor half of a surrogate pair', () => {
    expect(cleanText('a\0b\ud800c\udfffd😀')).toBe('a\uFFFDb\uFFFDc\uFFFDd😀');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(cleanText(text)).not.toMatch(/\0|\p{Surrogate}/u);
      }),
    );
  });

  it('has texts of at most 64 KiB, cut in the middle between characters', () => {
    const { text, cutBytes } = cutText('ä'.repeat(100_000));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
    expect(text).not.toContain('\uFFFD');
    expect(text).toContain(`[… ${cutBytes} bytes cut …]`);
    expect(Buffer.byteLength(text.replaceAll(/[^ä]/g, '')) + cutBytes).toBe(200_000);
    expect(cutText('short')).toEqual({ text: 'short', cutBytes: 0 });
  });

  it('says how much was cut, adding to what was told', () => {
    const cleaned = cleanPayload({ text: 'x'.repeat(100_000), truncatedBytes: 5 });
    expect(cleaned['truncatedBytes']).toBeGreaterThan(100_000 - 64 * 1024);
  });

  it('is at most one event, however many texts it has', () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_none, index) => [`text${index}`, 'y'.repeat(60_000)]),
    );
    expect(Buffer.byteLength(JSON.stringify(cleanPayload(many)))).toBeLessThan(256 * 1024);
    const lists = { list: Array.from({ length: 900 }, () => Array.from({ length: 900 }, () => 'text')) };
    expect(Buffer.byteLength(JSON.stringify(cleanPayload(lists)))).toBeLessThan(256 * 1024);
  });

  it('keeps what JSON knows, at any depth that a person may mean', () => {
    const value = { a: [1, true, null, { b: 'c' }], d: undefined, e: Number.NaN, f: () => 0 };
    expect(cleanPayload(value)).toEqual({ a: [1, true, null, { b: 'c' }], e: null });
    let deep: Record<string, unknown> = {};
    for (let level = 0; level < 1000; level += 1) deep = { deep };
    expect(JSON.stringify(cleanPayload(deep)).length).toBeLessThan(500);
  });
});

describe('lines of a stream', () => {
  const split = (chunks: readonly Buffer[], maxBytes = 100): StreamLine[] => {
    const lines: StreamLine[] = [];
    const splitter = new LineSplitter(maxBytes, (line) => lines.push(line));
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return lines;
  };

  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-zä€]*$/)), fc.array(fc.nat({ max: 20 })), (texts, cuts) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        const chunks: Buffer[] = [];
        let from = 0;
        for (const size of cuts) chunks.push(bytes.subarray(from, (from += size)));
        chunks.push(bytes.subarray(from));
        expect(split(chunks, 10_000)).toEqual(texts.map((text) => ({ text, cutBytes: 0 })));
      }),
    );
  });

  it('keep the head of what is too long, and count the rest', () => {
    const [line, next] = split([Buffer.from('a'.repeat(250)), Buffer.from('a\nb\n')]);
    expect(line).toEqual({ text: 'a'.repeat(100), cutBytes: 151 });
    expect(next).toEqual({ text: 'b', cutBytes: 0 });
  });

  it('come without a carriage return, and the last without a newline too', () => {
    expect(split([Buffer.from('one\r\ntwo')]).map(({ text }) => text)).toEqual(['one', 'two']);
    expect(split([])).toEqual([]);
    expect(split([Buffer.from([0xff, 0x0a])])[0]?.text).toBe('\uFFFD');
  });
});

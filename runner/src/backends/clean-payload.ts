import { EVENT_LIMITS } from '@agentrun/lib/contract';

/** JSON text of one payload stays below this, so that the event around it fits. */
const PAYLOAD_BYTES = EVENT_LIMITS.eventBytes - 16 * 1024;
const MARK_BYTES = 64;
const DEPTH = 16;
const ITEMS = 1000;

/** A text that every store and every reader takes: neither NUL nor half of a surrogate pair. */
export function cleanText(text: string): string {
  return text.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
}

/** The head and the tail of a text that is too long, with a mark between them, and how many bytes were cut. */
export function cutText(text: string, maxBytes: number = EVENT_LIMITS.textBytes): { text: string; cutBytes: number } {
  // A UTF-16 unit is at most three bytes.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return { text, cutBytes: 0 };
  const bytes = Buffer.from(text);
  const half = Math.max(1, Math.floor((maxBytes - MARK_BYTES) / 2));
  let headEnd = half;
  while (headEnd > 0 && isContinuation(bytes[headEnd])) headEnd -= 1;
  let tailStart = bytes.length - half;
  while (tailStart < bytes.length && isContinuation(bytes[tailStart])) tailStart += 1;
  const cutBytes = tailStart - headEnd;
  const head = bytes.toString('utf8', 0, headEnd);
  return { text: `${head}\n[… ${cutBytes} bytes cut …]\n${bytes.toString('utf8', tailStart)}`, cutBytes };
}

/**
 * A payload made fit for the log: texts clean and at most 64 KiB each, the whole at most 240 KiB. What was cut is
 * counted in `truncatedBytes`. Members that are undefined, and what JSON does not know, go.
 */
export function cleanPayload(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  let textBytes: number = EVENT_LIMITS.textBytes;
  for (;;) {
    const cleaner = { textBytes, cutBytes: 0 };
    const cleaned = cleanRecord(payload, cleaner, 0);
    const told = typeof cleaned['truncatedBytes'] === 'number' ? cleaned['truncatedBytes'] : 0;
    if (cleaner.cutBytes > 0) cleaned['truncatedBytes'] = told + cleaner.cutBytes;
    const bytes = Buffer.byteLength(JSON.stringify(cleaned));
    if (bytes <= PAYLOAD_BYTES) return cleaned;
    if (textBytes <= 256) return { truncatedBytes: told + bytes };
    textBytes = Math.floor(textBytes / 4);
  }
}

interface Cleaner {
  readonly textBytes: number;
  cutBytes: number;
}

function cleanRecord(value: object, cleaner: Cleaner, depth: number): Record<string, unknown> {
  const entries = Object.entries(value).slice(0, ITEMS);
  const kept = entries.flatMap(([key, member]) => {
    const cleaned = cleanValue(member, cleaner, depth + 1);
    return cleaned === undefined ? [] : [[cleanText(key), cleaned] as const];
  });
  return Object.fromEntries(kept);
}

function cleanValue(value: unknown, cleaner: Cleaner, depth: number): unknown {
  switch (typeof value) {
    case 'string': {
      const { text, cutBytes } = cutText(cleanText(value), cleaner.textBytes);
      cleaner.cutBytes += cutBytes;
      return text;
    }
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (depth >= DEPTH) return undefined;
      if (Array.isArray(value)) {
        return value.slice(0, ITEMS).map((item) => cleanValue(item, cleaner, depth + 1) ?? null);
      }
      return cleanRecord(value, cleaner, depth);
    default:
      return undefined;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

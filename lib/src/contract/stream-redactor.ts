/**
 * Takes known secrets out of a text that comes in pieces, however it is cut: what is given out is the same for every way
 * of cutting. Only a tail that may begin a secret is held back.
 */
import { SECRET_MARK } from './secret-shapes.ts';

/** Shorter values are too common to be looked for in every text. */
const SHORTEST = 8;

/** One stream: pieces in, pieces without secrets out. */
export interface RedactedStream {
  /** Takes the next piece, and gives what is certain by now. */
  push(piece: string): string;
  /** The stream has ended: gives what was held back. A later piece begins anew. */
  end(): string;
}

/** Known secrets, ready to be looked for. Streams of one redactor share its tables, and nothing else. */
export interface StreamRedactor {
  open(): RedactedStream;
  /** A text that is whole. Gives the same text when it holds no secret. */
  text(whole: string): string;
}

/**
 * Makes a redactor for texts that come in pieces.
 *
 * @param known values that must not be shown; ones shorter than 8 characters are left alone. Each is found as it is, in
 *   JSON, percent-encoded, in hex, and in base64 of either alphabet, also amid other encoded bytes.
 */
export function streamRedactor(known: readonly string[]): StreamRedactor {
  const forms = [...new Set(known.filter((value) => value.length >= SHORTEST).flatMap(secretForms))];
  if (forms.length === 0) return { open: () => ({ push: (piece) => piece, end: () => '' }), text: (whole) => whole };
  const root = buildTree(forms);
  const text = (whole: string): string => {
    const stream = openStream(root);
    const shown = stream.push(whole) + stream.end();
    return shown === whole ? whole : shown;
  };
  return { open: () => openStream(root), text };
}

/** The ways in which a secret is written in texts. */
export function secretForms(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const percent = encodeURIComponentSafely(value);
  const base64 = [0, 1, 2].flatMap((offset) => amidBase64(bytes, offset));
  const escaped = JSON.stringify(value).slice(1, -1);
  return [
    value,
    escaped,
    // JSON within JSON.
    JSON.stringify(escaped).slice(1, -1),
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll('%20', '+'),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ].filter((form) => form.length >= SHORTEST);
}

/** Half a surrogate pair has no percent form. */
function encodeURIComponentSafely(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Base64 of the bytes behind `offset` others, without the characters that those others or the next ones take part in. */
function amidBase64(bytes: Uint8Array, offset: number): string[] {
  const shifted = new Uint8Array(offset + bytes.length);
  shifted.set(bytes, offset);
  let binary = '';
  for (const byte of shifted) binary += String.fromCharCode(byte);
  const whole = btoa(binary);
  const isEven = shifted.length % 3 === 0;
  const inner = whole.replace(/=+$/, '').slice(offset === 0 ? 0 : offset + 1, isEven ? undefined : -1);
  // At the very end of the encoded bytes the last character and the padding belong to the secret too.
  const last = isEven
    ? []
    : [whole.slice(offset === 0 ? 0 : offset + 1), whole.replace(/=+$/, '').slice(offset === 0 ? 0 : offset + 1)];
  return [...last, inner];
}

/** A node of the tree of all forms (Aho-Corasick): a text that has been read, as far as it may be part of a form. */
interface Node {
  readonly next: Map<string, Node>;
  readonly depth: number;
  /** The longest proper suffix that begins a form too. */
  suffix: Node | null;
  /** Length of the longest form that ends here; 0 for none. */
  ends: number;
  /** How many of the characters read last may begin a form that goes on. */
  hold: number;
}

function buildTree(forms: readonly string[]): Node {
  const newNode = (depth: number): Node => ({ next: new Map(), depth, suffix: null, ends: 0, hold: 0 });
  const root = newNode(0);
  for (const form of forms) {
    let node = root;
    for (let at = 0; at < form.length; at += 1) {
      const char = form.charAt(at);
      let child = node.next.get(char);
      if (child === undefined) node.next.set(char, (child = newNode(node.depth + 1)));
      node = child;
    }
    node.ends = form.length;
  }
  for (const queue = [root]; queue.length > 0; ) {
    const level = queue.splice(0);
    for (const node of level) {
      for (const [char, child] of node.next) {
        child.suffix = node === root ? root : step(root, node.suffix ?? root, char);
        child.ends = Math.max(child.ends, child.suffix.ends);
        child.hold = child.next.size > 0 ? child.depth : child.suffix.hold;
        queue.push(child);
      }
    }
  }
  return root;
}

function step(root: Node, from: Node, char: string): Node {
  for (let node: Node | null = from; node !== null; node = node.suffix) {
    const next = node.next.get(char);
    if (next !== undefined) return next;
  }
  return root;
}

function openStream(root: Node): RedactedStream {
  let node = root;
  /** What was read and not given out; its first character has the number `start`. */
  let held = '';
  let start = 0;
  /** Ranges that are secret, in order, overlapping ones joined. */
  let secrets: { from: number; to: number }[] = [];

  const found = (from: number, to: number): void => {
    let first = from;
    for (let last = secrets.at(-1); last !== undefined && last.to > first; last = secrets.at(-1)) {
      first = Math.min(first, last.from);
      secrets.pop();
    }
    secrets.push({ from: first, to });
  };

  /** Gives out what stands before the number; no secret can begin there any more. */
  const release = (until: number): string => {
    let shown = '';
    let at = start;
    const rest: typeof secrets = [];
    for (const range of secrets) {
      if (range.from >= until) {
        rest.push(range);
        continue;
      }
      if (range.from >= start) shown += held.slice(at - start, range.from - start) + SECRET_MARK;
      at = Math.min(range.to, until);
      if (range.to > until) rest.push(range);
    }
    shown += held.slice(at - start, until - start);
    held = held.slice(until - start);
    start = until;
    secrets = rest;
    return shown;
  };

  return {
    push: (piece) => {
      const base = start + held.length;
      held += piece;
      for (let at = 0; at < piece.length; at += 1) {
        node = step(root, node, piece.charAt(at));
        if (node.ends > 0) found(base + at + 1 - node.ends, base + at + 1);
      }
      return release(start + held.length - node.hold);
    },
    end: () => {
      node = root;
      const rest = release(start + held.length);
      secrets = [];
      return rest;
    },
  };
}

import type { Problem } from '../errors.ts';
import { unwantedCharacters } from './characters.ts';
import { checkLaneValue } from './check-lane-value.ts';
import type { LaneFinding } from './finding.ts';
import { messageText } from './found-text.ts';
import type { Lane } from './lane.ts';
import { formatLanePath, type LanePath } from './lane-path.ts';
import { sortProblems } from './sort-problems.ts';

const DEEPEST = 40;

/**
 * Judges a lane that is an object already. The object is copied, not changed; a property that is undefined counts as
 * missing. The problems name the lane path, but no place in a file. Never throws.
 */
export function validateLaneObject(value: unknown): { lane?: Lane; problems: readonly Problem[] } {
  const findings: LaneFinding[] = [];
  const unreadable: LanePath[] = [];
  const copy = copyPlain(value, [], (path, message, code) => {
    findings.push({ code, message: `${formatLanePath(path) || 'the lane'} ${message}`, path });
    unreadable.push(path);
  });
  const checked = checkLaneValue(copy, { unreadable, incomplete: [], sourceOf: () => undefined });
  const all = [...findings, ...checked.findings];
  const problems = sortProblems(
    all.map((finding): Problem => {
      const { code, severity = 'error', message, hint, path } = finding;
      return {
        code,
        severity,
        message: messageText(message),
        ...(path.length === 0 ? {} : { lanePath: messageText(formatLanePath(path)) }),
        ...(hint === undefined ? {} : { hint: messageText(hint) }),
      };
    }),
  );
  return { ...(checked.lane === undefined ? {} : { lane: checked.lane }), problems };
}

type Refuse = (path: LanePath, message: string, code: LaneFinding['code']) => void;

function copyPlain(value: unknown, path: LanePath, refuse: Refuse): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(path, `must be a finite number, found ${value}`, 'lane-type');
    return value;
  }
  if (typeof value === 'string') {
    const [unwanted] = unwantedCharacters(value);
    if (unwanted !== undefined) refuse(path, `holds the character ${unwanted.name}`, 'lane-character');
    return value;
  }
  if (typeof value !== 'object') {
    refuse(
      path,
      `must be plain data, found ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`,
      'lane-type',
    );
    return null;
  }
  // A cycle ends here too.
  if (path.length > DEEPEST) {
    refuse(path, `is nested more than ${DEEPEST} levels deep`, 'lane-type');
    return null;
  }
  if (Array.isArray(value))
    return Array.from(value, (item: unknown, index) => copyPlain(item, [...path, index], refuse));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    refuse(path, 'must be a plain object, found an instance of a class', 'lane-type');
    return null;
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    const below = [...path, key];
    if (key === '__proto__') refuse(path, 'must not have the key "__proto__"', 'lane-key');
    else if (property?.get !== undefined) refuse(below, 'must be plain data, found a getter', 'lane-type');
    else if (property?.value !== undefined) copy[key] = copyPlain(property.value, below, refuse);
  }
  return copy;
}

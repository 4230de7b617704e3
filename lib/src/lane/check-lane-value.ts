import type { LaneFinding } from './finding.ts';
import type { Lane } from './lane.ts';
import { formatLanePath, isWithin, type LanePath, parseLanePath } from './lane-path.ts';
import { LANE_RULES } from './rules/index.ts';
import type { RuleFinding } from './rules/rule.ts';
import { secretFindings } from './rules/secrets.ts';
import { type SchemaError, type SourceOf, schemaFindings } from './schema-findings.ts';
import { validate } from './validator.gen.ts';

/** What is known about a value beside itself. */
export interface ValueOrigin {
  /** Places that have been reported already, and whose value stands for nothing. */
  readonly unreadable: readonly LanePath[];
  /** Mappings in which nothing is said to be missing. */
  readonly incomplete: readonly LanePath[];
  readonly sourceOf: SourceOf;
}

export interface CheckedValue {
  /** The value as a lane, when nothing is wrong with it. */
  readonly lane: Lane | undefined;
  readonly findings: readonly LaneFinding[];
}

const rules = LANE_RULES.map((rule) => ({ rule, reads: rule.reads.map(parseLanePath) }));

/**
 * Judges a plain value as a lane: the schema, secrets, and every rule whose fields are all right. Fills defaults and
 * nulls into `value`.
 */
export function checkLaneValue(value: unknown, origin: ValueOrigin): CheckedValue {
  const fits = validate(value);
  const errors = (fits ? [] : (validate.errors ?? [])) as unknown as readonly SchemaError[];
  const { findings: ofSchema, invalid } = schemaFindings(value, errors, origin.sourceOf);
  const secrets = secretFindings(value);
  const secretPlaces = new Set(secrets.map(({ path }) => formatLanePath(path)));
  const told = ofSchema.filter(
    (finding) =>
      !origin.unreadable.some((path) => isWithin(finding.path, path)) &&
      !(finding.code === 'lane-missing-field' && isMemberOfAny(finding.path, origin.incomplete)) &&
      // A URL with a password does not fit its form either: the secret is what matters.
      !(finding.code === 'lane-format' && secretPlaces.has(formatLanePath(finding.path))),
  );
  const bad = [...invalid, ...origin.unreadable];
  const ofRules: LaneFinding[] = [];
  for (const { rule, reads } of rules) {
    if (reads.some((read) => bad.some((path) => isWithin(path, read) || isWithin(read, path)))) continue;
    // Everything that the rule reads fits the schema.
    for (const finding of rule.check(value as Lane)) ofRules.push(fromRule(finding));
  }
  const findings = [...told, ...secrets, ...ofRules];
  const clean = fits && origin.unreadable.length === 0 && findings.every(({ severity }) => severity === 'warning');
  return { lane: clean ? (value as Lane) : undefined, findings };
}

function fromRule({ code = 'lane-rule', paths, at, ...rest }: RuleFinding): LaneFinding {
  const [path, ...related] = paths;
  return {
    ...rest,
    code,
    path: parseLanePath(path),
    ...(at === undefined ? {} : { at }),
    ...(related.length === 0 ? {} : { related: related.map(parseLanePath) }),
  };
}

function isMemberOfAny(path: LanePath, mappings: readonly LanePath[]): boolean {
  return mappings.some((mapping) => mapping.length === path.length - 1 && isWithin(path, mapping));
}

import { findSecret, secretAssignment } from '../../contract/secret-shapes.ts';
import type { LaneFinding } from '../finding.ts';
import { formatLanePath, type LanePath, valueAt } from '../lane-path.ts';

const ENV: LanePath = ['deployment', 'manager', 'env'];
const SSH: LanePath = ['deployment', 'manager', 'unideskSshEndpointEnv'];

/** No token is shorter, and a value behind a telling name has a separator before it: most texts need no closer look. */
const SHORTEST_TOKEN = 12;
const SEPARATOR = /[\s:=]/;

/** Every text of a lane that is a secret, or whose variable says that it is one. Takes any value, also a wrong lane. */
export function secretFindings(value: unknown): LaneFinding[] {
  const findings: LaneFinding[] = [];
  const endpointName = valueAt(value, [...SSH, 'name']);
  const path: (string | number)[] = [];
  const walk = (here: unknown) => {
    if (typeof here === 'string') {
      const secret = secretAt(path, here, endpointName);
      if (secret !== undefined) findings.push(secret);
    } else if (typeof here === 'object' && here !== null) {
      for (const [key, item] of Array.isArray(here) ? here.entries() : Object.entries(here)) {
        path.push(key);
        walk(item);
        path.pop();
      }
    }
  };
  walk(value);
  return findings;
}

function secretAt(path: LanePath, value: string, endpointName: unknown): LaneFinding | undefined {
  const variable = variableAt(path, endpointName);
  if (variable === undefined && value.length < SHORTEST_TOKEN && !SEPARATOR.test(value)) return undefined;
  const secret = variable === undefined ? findSecret(value) : secretAssignment(variable, value);
  if (secret === undefined) return undefined;
  const name = formatLanePath(path);
  const named = secret.shape === 'secret-assignment';
  return {
    code: 'lane-secret',
    message: named
      ? `${name} gives a literal value to a variable whose name says that it is a secret; the value is not shown`
      : `${name} holds what looks like a secret (${secret.shape}); the value is not shown`,
    ...(variable === undefined
      ? { hint: 'Take it out: everybody who can read the repository can read the lane.' }
      : { hint: `Put the value in a Secret, and write secretEnv: { ${variable}: { name: <Secret>, key: <key> } }` }),
    path: [...path],
  };
}

/** The name of the variable that the text at this path becomes the value of. */
function variableAt(path: LanePath, endpointName: unknown): string | undefined {
  const last = path.at(-1);
  const isAt = (parent: LanePath) =>
    parent.length === path.length - 1 && parent.every((step, index) => step === path[index]);
  if (isAt(ENV)) return String(last);
  return isAt(SSH) && last === 'value' && typeof endpointName === 'string' ? endpointName : undefined;
}

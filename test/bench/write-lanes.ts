import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newLaneText } from '../../lib/src/index.ts';

/** The lane that the others are made from. */
export const MODEL = join(import.meta.dirname, '../../lanes/v0.1.yaml');

/** Writes lanes v1.1, v1.2, ... that do not conflict, made from v0.1 as `lane new` makes them; gives back the folder. */
export function writeLanes(folder: string, count: number): string {
  const lanes = join(folder, `lanes-${count}`);
  mkdirSync(lanes);
  const model = readFileSync(MODEL, 'utf8');
  for (let minor = 1; minor <= count; minor += 1) {
    const version = `v1.${minor}`;
    writeFileSync(join(lanes, `${version}.yaml`), newLaneText(model, 'v0.1', version).text);
  }
  return lanes;
}

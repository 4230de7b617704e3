import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CONTRACT_FLAWS, CONTRACT_OBJECTS } from './contract-objects.ts';
import { code, page, pageHead, table } from './markdown.ts';

const INTRO = `AgentRun renders the objects of an existing system, its contract: same kinds, names, namespaces, ports, variables and
file paths. Where the contract has a flaw, AgentRun deviates, and each deviation is a row of \`docs/deviations.yaml\`,
together with the operations that undo it. A test undoes all of them and compares what is left with fixed digests of the
contract, so the list is complete; it also checks that no row is too many.`;

interface DeviationRow {
  readonly id: string;
  readonly flaw: number;
  readonly objects: readonly string[];
  readonly change: string;
}

/** The page of deviations from the contract. */
export async function deviationsPage(root: string): Promise<string> {
  const rows = parse(await readFile(join(root, 'docs', 'deviations.yaml'), 'utf8')) as DeviationRow[];
  refuseUnknown('flaw', rows.flatMap(flawsOf), Object.keys(CONTRACT_FLAWS));
  refuseUnknown(
    'object',
    rows.flatMap(({ objects }) => objects),
    Object.keys(CONTRACT_OBJECTS),
  );
  return page([
    ...pageHead('Deviations from the contract', 'docs/deviations.yaml'),
    INTRO,
    '',
    ...table(
      ['Deviation', 'Flaw', 'Objects', 'Change'],
      rows.map(({ id, flaw, objects: ids, change }) => [
        code(id),
        `[${flaw}](#flaws)`,
        ids.map((name) => code(name)).join(' '),
        change.trim().replaceAll('<', '\\<'),
      ]),
    ),
    '',
    '## Flaws',
    '',
    ...table(
      ['Flaw', 'What is wrong in the contract'],
      Object.entries(CONTRACT_FLAWS).map(([number, words]) => [number, words]),
    ),
    '',
    '## Objects',
    '',
    ...table(
      ['Id', 'Object'],
      Object.entries(CONTRACT_OBJECTS).map(([id, words]) => [code(id), words]),
    ),
    '',
  ]);
}

/** The flaw of the row, and those that its text names. */
const flawsOf = ({ flaw, change }: DeviationRow): string[] => [
  String(flaw),
  ...[...change.matchAll(/flaw ([0-9]+)/g)].map(([, number]) => number ?? ''),
];

/** Every id in use has words, and no words are left over. */
function refuseUnknown(what: string, used: readonly string[], known: readonly string[]): void {
  const bare = used.filter((id) => !known.includes(id));
  if (bare.length > 0) throw new Error(`no words for the ${what} ${bare.join(', ')}`);
  const idle = known.filter((id) => !used.includes(id));
  if (idle.length > 0) throw new Error(`no deviation names the ${what} ${idle.join(', ')}`);
}

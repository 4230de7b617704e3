import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../helpers/repository-root.ts';

const library = join(REPOSITORY, 'lib');
const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as {
  exports: Record<string, string | Record<string, string>>;
};
const entries = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, source: join(library, target['@agentrun/source'] ?? ''), target }],
);

const program = ts.createProgram(
  entries.map(({ source }) => source),
  { module: ts.ModuleKind.NodeNext, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, types: [] },
);
const checker = program.getTypeChecker();

describe.each(entries)('the entry point $name', ({ source, target }) => {
  const file = program.getSourceFile(source);
  const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  const exported = (symbol === undefined ? [] : checker.getExportsOfModule(symbol)).map((one) =>
    one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one,
  );

  it('has exports, and each is documented', () => {
    expect(exported.length).toBeGreaterThan(2);
    const bare = exported.filter((one) => ts.displayPartsToString(one.getDocumentationComment(checker)).length < 20);
    expect(bare.map(({ name }) => name)).toEqual([]);
  });

  it('has its types and its code where the compiler puts them', () => {
    const compiled = source.replace(join(library, 'src'), './dist').replace(/\.ts$/, '');
    expect([target['types'], target['default']]).toEqual([`${compiled}.d.ts`, `${compiled}.js`]);
  });
});

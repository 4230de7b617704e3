import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './repository-root.ts';

/**
 * An empty ESM project in `folder` with the packed library installed, as npm would do it but without the network: the
 * tarball is unpacked below `node_modules`, and what its package.json depends on is linked from this repository. Returns
 * the paths in the tarball.
 */
export function installPackedLibrary(folder: string): string[] {
  const project = join(folder, 'project');
  const library = join(project, 'node_modules', '@agentrun', 'lib');
  mkdirSync(library, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "name": "example", "private": true, "type": "module" }\n');
  cpSync(join(REPOSITORY, 'lanes', 'v0.1.yaml'), join(project, 'lanes', 'v0.1.yaml'));

  // Its prepack script compiles the library.
  const report = execFileSync('npm', ['pack', '--json', '--offline', '--pack-destination', folder], {
    cwd: join(REPOSITORY, 'lib'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [packed] = JSON.parse(report.slice(report.indexOf('['))) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error('npm pack reports no tarball');
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '--strip-components=1', '-C', library]);

  const { dependencies } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules', name), link);
  }
  return packed.files.map(({ path }) => path);
}

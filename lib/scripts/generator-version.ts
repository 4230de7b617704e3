import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Name and version of the renderer, which a packed library must know without reading a file. */
export async function makeGeneratorVersion(root: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(root, 'lib', 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  return [
    '// Made by "npm run generate" from lib/package.json. Do not edit.',
    '/** Name of the package that renders. */',
    `export const GENERATOR_NAME = '${name}';`,
    '/** Its version; stands in the source record of each rendered lane. */',
    `export const GENERATOR_VERSION = '${version}';`,
    '',
  ].join('\n');
}

import { laneSchemaText } from '../src/lane/schema/schema-text.ts';
import { deviationsPage } from './docs/deviations-page.ts';
import { errorsPage } from './docs/errors-page.ts';
import { failuresPage } from './docs/failures-page.ts';
import { lanePage } from './docs/lane-page.ts';
import { makeGeneratorVersion } from './generator-version.ts';
import { makeLaneValidator } from './lane-validator.ts';
import { makeObjectValidators } from './object-schemas/object-validators.ts';
import { makeTemplates } from './templates.ts';

/** Every file that is made by `npm run generate`, checked in, and checked fresh; in the order of their making. */
export const generatedFiles: readonly { path: string; make: (root: string) => Promise<string> }[] = [
  { path: 'lib/src/render/generator.gen.ts', make: makeGeneratorVersion },
  { path: 'lib/src/lane/validator.gen.ts', make: makeLaneValidator },
  { path: 'lanes/lane.schema.json', make: async () => laneSchemaText() },
  { path: 'lib/src/check/schemas/objects.gen.ts', make: makeObjectValidators },
  { path: 'lib/src/manifests/templates.gen.ts', make: makeTemplates },
  { path: 'docs/lane.md', make: async () => lanePage() },
  { path: 'docs/errors.md', make: errorsPage },
  { path: 'docs/failures.md', make: failuresPage },
  { path: 'docs/deviations.md', make: deviationsPage },
];

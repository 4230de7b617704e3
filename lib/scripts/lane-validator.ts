import { laneSchema } from '../src/lane/schema/index.ts';
import { standaloneValidator } from './standalone-validator.ts';

/** The precompiled validator of the lane schema; it fills defaults. */
export function makeLaneValidator(): Promise<string> {
  return standaloneValidator(structuredClone(laneSchema) as object, {
    useDefaults: true,
    purpose: 'the lane schema, precompiled.',
  });
}

import { join } from 'node:path';

/** Absolute path of the repository. */
export const REPOSITORY = join(import.meta.dirname, '..', '..');

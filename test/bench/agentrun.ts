import { join } from 'node:path';

/** The command line as it is shipped. */
export const AGENTRUN = join(import.meta.dirname, '../../synth/bin/agentrun.js');

/** Renders without asking git, as a pipeline does that knows its commit. */
export const RENDER_OPTIONS = ['--placeholder', '--source-commit', 'a'.repeat(40), '--allow-dirty'];

export type { OutputFile } from './output-file.ts';
export { type WrittenOutput, writeOutput } from './write-output.ts';

/** One file of an output: a path inside it, with `/` between the segments, and its text (written as UTF-8). */
export interface OutputFile {
  readonly path: string;
  readonly content: string;
}

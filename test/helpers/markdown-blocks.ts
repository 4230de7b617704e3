/** A fenced code block of a page. */
export interface CodeBlock {
  readonly language: string;
  /** Without the fences, with a final newline. */
  readonly text: string;
}

/** The fenced code blocks of a Markdown page, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```([a-z]*)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

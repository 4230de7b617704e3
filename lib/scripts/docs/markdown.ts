/** A table; cells are Markdown on one line, in which "|" is escaped here. */
export function table(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(headers), line(headers.map(() => '---')), ...rows.map(line)];
}

function cell(text: string): string {
  if (text.includes('\n')) throw new Error(`a table cell must be one line: ${JSON.stringify(text)}`);
  return text.replaceAll('|', '\\|');
}

/** Text as code, whatever backticks it holds. */
export function code(text: string): string {
  if (!text.includes('`')) return `\`${text}\``;
  return `\`\` ${text} \`\``;
}

/** The head of a generated page; the comment is not shown to readers. */
export const pageHead = (title: string, source: string): string[] => [
  `<!-- Made by "npm run generate" from ${source}. Do not edit. -->`,
  '',
  `# ${title}`,
  '',
];

/** The lines as a file. */
export const page = (lines: readonly string[]): string => `${lines.join('\n').trimEnd()}\n`;

import { CST, Lexer } from 'yaml';
import type { TextFinding } from './finding.ts';

const MAY_HOLD_MARKS = /[&*!%]/;
/** Marks that the lexer puts between lexemes; they stand for no character of the text. */
const CONTROL = new Set(['\u0002', '\u0018', '\u001f']);

/** Anchors, aliases, tags and directives: a lane has none of them. */
export function markFindings(text: string): TextFinding[] {
  if (!MAY_HOLD_MARKS.test(text)) return [];
  const findings: TextFinding[] = [];
  let start = 0;
  let literal = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (CONTROL.has(lexeme)) {
      literal = lexeme === '\u001f';
      continue;
    }
    const end = start + lexeme.length;
    const about = literal ? undefined : describe(CST.tokenType(lexeme), lexeme);
    if (about !== undefined) findings.push({ ...about, start, end });
    literal = false;
    start = end;
  }
  return findings;
}

function describe(
  type: ReturnType<typeof CST.tokenType>,
  lexeme: string,
): Pick<TextFinding, 'code' | 'message'> | undefined {
  switch (type) {
    case 'anchor':
      return { code: 'lane-alias', message: `the anchor ${quoted(lexeme)} is not allowed in a lane` };
    case 'alias':
      return { code: 'lane-alias', message: `the alias ${quoted(lexeme)} is not allowed in a lane` };
    case 'tag':
      return { code: 'lane-tag', message: `the tag ${quoted(lexeme)} is not allowed in a lane` };
    case 'directive-line':
      return { code: 'lane-syntax', message: 'the line that begins with "%" is a directive; a lane has none' };
    default:
      return undefined;
  }
}

function quoted(lexeme: string): string {
  return JSON.stringify(lexeme.length > 40 ? `${lexeme.slice(0, 40)}…` : lexeme);
}

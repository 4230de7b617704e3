import { type Document, isCollection, isPair, isScalar, type YAMLParseError } from 'yaml';
import type { TextFinding } from './finding.ts';

type Sentence = readonly [code: string, message: RegExp, ours: string, hint?: string];

const INDENT_HINT = 'Indent with two spaces a level; fields of one mapping begin in one column.';

/** What the parser found, in words for the person who wrote the file. The first row that fits is taken. */
const SENTENCES: readonly Sentence[] = [
  ['MISSING_CHAR', /closing/, 'the text that begins here has no closing quote'],
  ['MISSING_CHAR', /followed by map values/, 'a field is expected here, but no ":" follows the name'],
  ['MISSING_CHAR', /Missing ,/, 'a "," is missing between two items'],
  ['MISSING_CHAR', /space after :/, 'a space is missing after the ":"'],
  ['MISSING_CHAR', /Comments/, 'a space is missing before the "#" of the comment'],
  ['MISSING_CHAR', /without - indicator/, 'an item of the list begins without "- "'],
  ['MISSING_CHAR', /.*(?:must end with|end with) a/, 'the bracket that opens here is never closed'],
  ['MISSING_CHAR', /directives-end/, 'the line that begins with "%" is a directive; a lane has none'],
  ['MISSING_CHAR', /explicit indentation indicator/, 'the first lines of this text are indented further than the rest'],
  ['MISSING_CHAR', /./, 'a character or a space is missing here'],
  ['BAD_INDENT', /end with a/, 'the bracket that opens here is never closed'],
  [
    'BAD_INDENT',
    /multi-?line|sufficiently indented/i,
    'this text goes on, but is not indented below its field',
    INDENT_HINT,
  ],
  ['BAD_INDENT', /./, 'this line begins in another column than its siblings', INDENT_HINT],
  ['BLOCK_AS_IMPLICIT_KEY', /compact/, 'there is a second ": " on this line; a value that contains ": " needs quotes'],
  ['BLOCK_AS_IMPLICIT_KEY', /./, 'a list stands where the name of a field is expected', INDENT_HINT],
  ['MULTILINE_IMPLICIT_KEY', /./, 'a field is expected here, but no ":" follows the name'],
  ['BAD_SCALAR_START', /./, 'a value that begins with this character needs quotes'],
  ['BAD_DQ_ESCAPE', /./, 'this escape is not known; in double quotes a backslash itself is written \\\\'],
  ['BLOCK_IN_FLOW', /./, 'inside brackets everything is written in brackets: a block of lines cannot stand here'],
  [
    'UNEXPECTED_TOKEN',
    /Block scalar header/,
    'only the end of the line may follow the "|" or ">" that begins a text of several lines',
  ],
  ['UNEXPECTED_TOKEN', /block-seq-ind/, 'a list stands on the line of its field; begin it on the next line'],
  ['UNEXPECTED_TOKEN', /Unexpected ,|empty item/, 'there is a "," too many'],
  ['UNEXPECTED_TOKEN', /flow-(?:map|seq)-end/, 'this closing bracket has no opening one'],
  [
    'UNEXPECTED_TOKEN',
    /at node end/,
    'the value has ended before this place; what follows does not belong to it',
    INDENT_HINT,
  ],
  ['KEY_OVER_1024_CHARS', /./, 'the name of this field is longer than 1024 characters'],
  ['RESOURCE_EXHAUSTION', /./, 'the file is nested too deeply'],
];
const ANY_OTHER = 'this cannot be read as YAML';

/** Found and reported by our own walk, at better places. */
const REPORTED_ELSEWHERE = new Set([
  'ALIAS_PROPS',
  'BAD_ALIAS',
  'BAD_DIRECTIVE',
  'BAD_PROP_ORDER',
  'BAD_COLLECTION_TYPE',
  'DUPLICATE_KEY',
  'MULTIPLE_ANCHORS',
  'MULTIPLE_TAGS',
  'TAG_RESOLVE_FAILED',
  'TAB_AS_INDENT',
]);
/** One slip makes many errors further down; more than these help nobody. */
const MOST = 20;

/** The syntax errors of a document, in order of their places; `lineOf` gives the line of an offset. */
export function syntaxFindings(
  document: Document.Parsed,
  text: string,
  lineOf: (offset: number) => number,
): TextFinding[] {
  const findings: TextFinding[] = [];
  const lines = new Set<number>();
  for (const error of [...document.errors].sort((a, b) => a.pos[0] - b.pos[0])) {
    if (REPORTED_ELSEWHERE.has(error.code)) continue;
    const finding = describe(error, document, text);
    const line = lineOf(finding.start);
    if (lines.has(line)) continue;
    lines.add(line);
    findings.push(finding);
    // Everything after an open quote is inside the quote.
    if (/closing/.test(error.message) || findings.length === MOST) break;
  }
  return findings;
}

function describe(error: YAMLParseError, document: Document.Parsed, text: string): TextFinding {
  if (error.code === 'MULTIPLE_DOCS') {
    return {
      code: 'lane-several-documents',
      message: 'a second YAML document begins here; a lane file holds one',
      start: error.pos[0],
      end: Math.min(error.pos[0] + 3, error.pos[1]),
    };
  }
  const row = SENTENCES.find(([code, message]) => code === error.code && message.test(error.message));
  const [start, end] = placeOf(error, document, text);
  const nested = document.errors.some(
    (other) => other.code === 'BLOCK_AS_IMPLICIT_KEY' && other.pos[0] === error.pos[0],
  );
  const tooDeep = start !== error.pos[0] && nested;
  return {
    code: 'lane-syntax',
    message: tooDeep ? 'this line is indented below a field that has a value already' : (row?.[2] ?? ANY_OTHER),
    start,
    end: Math.max(start, end),
    ...(tooDeep ? { hint: INDENT_HINT } : row?.[3] === undefined ? {} : { hint: row[3] }),
  };
}

/** The parser points at the end of what is not closed, and at the value above a line that is indented too far. */
function placeOf(error: YAMLParseError, document: Document.Parsed, text: string): [number, number] {
  const [start, end] = error.pos;
  if (/closing|end with a/.test(error.message)) {
    const opening = openingOf(document.contents, start);
    return opening === undefined ? [start, end] : [opening, opening + 1];
  }
  const multiLine = document.errors.find((other) => other.code === 'MULTILINE_IMPLICIT_KEY' && other.pos[0] === start);
  const nested = document.errors.some((other) => other.code === 'BLOCK_AS_IMPLICIT_KEY' && other.pos[0] === start);
  const last = multiLine === undefined ? -1 : text.lastIndexOf('\n', multiLine.pos[1] - 1);
  if (multiLine !== undefined && nested && last > start) {
    const indent = /[ \t]*/y;
    indent.lastIndex = last + 1;
    return [last + 1 + (indent.exec(text)?.[0].length ?? 0), multiLine.pos[1]];
  }
  // A line that is indented wrongly is shown where its text begins.
  const spaces = /[ \t]*/y;
  spaces.lastIndex = start;
  const from = start + (spaces.exec(text)?.[0].length ?? 0);
  const lineEnd = text.indexOf('\n', from);
  return [from, Math.max(from, lineEnd === -1 ? end : Math.min(end, lineEnd))];
}

/** Where the innermost quote or bracket begins that reaches up to `offset`. */
function openingOf(node: unknown, offset: number): number | undefined {
  if (isPair(node)) return openingOf(node.value, offset) ?? openingOf(node.key, offset);
  if (isScalar(node)) {
    const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
    return quoted && node.range && node.range[0] < offset && node.range[1] >= offset ? node.range[0] : undefined;
  }
  if (!isCollection(node)) return undefined;
  for (const item of [...node.items].reverse()) {
    const inner = openingOf(item, offset);
    if (inner !== undefined) return inner;
  }
  return node.flow && node.range && node.range[0] < offset && node.range[2] >= offset ? node.range[0] : undefined;
}

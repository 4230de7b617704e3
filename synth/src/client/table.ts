import type { Terminal } from '../terminal.ts';
import { cutToWidth, plainLine } from './transcript/plain-text.ts';

/** A column: its title, and what it shows of an item. */
export type Column<Item> = readonly [title: string, text: (item: Item) => string];

/** Prints items as a table on stdout. On a terminal the last column ends with the line. */
export function printTable<Item>(columns: readonly Column<Item>[], items: readonly Item[], { stdout }: Terminal): void {
  const rows = [
    columns.map(([title]) => title),
    ...items.map((item) => columns.map(([, text]) => plainLine(text(item)))),
  ];
  const widths = columns.map((_column, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  for (const row of rows) {
    const line = row.map((text, at) => (at === row.length - 1 ? text : text.padEnd(widths[at] ?? 0))).join('  ');
    stdout.write(`${stdout.isTTY === true ? cutToWidth(line, stdout.columns ?? 80) : line}\n`.replace(/ +\n$/, '\n'));
  }
}

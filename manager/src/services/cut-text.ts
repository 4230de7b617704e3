/**
 * A text of at most so many bytes of UTF-8: a longer one keeps its head and its tail, and `truncatedBytes` says how much
 * is missing between them.
 */
export function cutText(text: string, bytes: number): { text: string; truncatedBytes?: number } {
  if (text.length * 3 <= bytes) return { text };
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= bytes) return { text };
  const half = Math.floor((bytes - 64) / 2);
  const head = whole.subarray(0, boundary(whole, half));
  const tail = whole.subarray(boundary(whole, whole.length - half));
  const truncatedBytes = whole.length - head.length - tail.length;
  return { text: `${head.toString('utf8')}\n… ${truncatedBytes} bytes …\n${tail.toString('utf8')}`, truncatedBytes };
}

/** The last place at or before `at` where a character begins. */
function boundary(text: Buffer, at: number): number {
  let place = at;
  while (place > 0 && ((text[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}

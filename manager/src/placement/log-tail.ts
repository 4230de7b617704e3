import { open } from 'node:fs/promises';

/** How much of the end of a runner's log goes with the news of its end, in bytes. */
const LOG_TAIL_BYTES = 2048;

/**
 * The end of a log, at most 2 KiB, from the first whole character on. Empty when there is no log, or it cannot be read.
 */
export async function readLogTail(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const length = Math.min(size, LOG_TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      // UTF-8: the bytes after the first of a character are 10xxxxxx, at most three.
      const whole = buffer.subarray(0, Math.min(4, bytesRead)).findIndex((byte) => (byte & 0xc0) !== 0x80);
      return buffer.toString('utf8', size > length ? Math.max(0, whole) : 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}

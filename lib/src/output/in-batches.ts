const BATCH = 16;

/**
 * Runs the step for each item, at most 16 at a time. When one fails, the others of its batch are waited for, so that
 * nothing goes on in the background, and the first failure is thrown.
 */
export async function inBatches<T>(items: readonly T[], step: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    const results = await Promise.allSettled(items.slice(start, start + BATCH).map(step));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

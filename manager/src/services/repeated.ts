/** Answers that were given before: nothing was done for them this time. */
const repeated = new WeakSet<object>();

/** Marks an answer as one that was given before. */
export function markRepeated<T>(answer: T): T {
  if (typeof answer === 'object' && answer !== null) repeated.add(answer);
  return answer;
}

/** Whether an answer, the very object, was given before. */
export function isRepeated(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && repeated.has(answer);
}

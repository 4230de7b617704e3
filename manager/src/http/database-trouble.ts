/**
 * Classes and codes of PostgreSQL, and codes of sockets, that say: not now, the request itself is in order. Among them
 * is what it answers when it lets nobody in: a login that it refuses, a database that is not there or is closed.
 */
const SQLSTATE = /^(?:08...|28...|3D000|53...|55000|57P0.|57014|40001|40P01|55P03)$/;
const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** The client library gives these no code. */
const WORDS =
  /timeout exceeded when trying to connect|connection terminated|client has encountered a connection error|client was closed and is not queryable|after calling end on the pool|query read timeout/i;
const DEEPEST = 5;

/** Whether an error, or what caused it, is that the database cannot be reached or has no room now. */
export function isDatabaseTrouble(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > DEEPEST) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (SQLSTATE.test(code) || SOCKET.has(code) || WORDS.test(error.message)) return true;
  // A name with several addresses fails with one error for each.
  if (error instanceof AggregateError && error.errors.some((each) => isDatabaseTrouble(each, depth + 1))) return true;
  return isDatabaseTrouble(error.cause, depth + 1);
}

/** What heartbeats and polls tell of cancels. */
export interface CancelNews {
  readonly cancelRequestedAt?: string | null;
  readonly cancelCommandIds: readonly string[];
}

/** Somebody wants a turn to end. */
export interface CancelRequest {
  /** The whole run, or this turn alone. */
  readonly scope: 'run' | 'turn';
  /** How long ago it was asked for when we heard of it, in milliseconds of the manager's clock; null: not known. */
  readonly sinceMs: number | null;
}

/** What the news say of one turn; null when it may go on. */
export function cancelOf(news: CancelNews, serverTime: string, turnId: string): CancelRequest | null {
  const { cancelRequestedAt, cancelCommandIds } = news;
  if (typeof cancelRequestedAt === 'string') return { scope: 'run', sinceMs: msBetween(cancelRequestedAt, serverTime) };
  return cancelCommandIds.includes(turnId) ? { scope: 'turn', sinceMs: null } : null;
}

/** Both times are the manager's, so that its clock need not be ours. */
export function msBetween(from: string, until: string): number {
  const ms = Date.parse(until) - Date.parse(from);
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

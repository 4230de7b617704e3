/** A signal that is aborted with the first of several; `leave` lets go of them. */
export interface JoinedSignal {
  readonly signal: AbortSignal;
  readonly leave: () => void;
}

/** As AbortSignal.any, for signals that outlive what waits for them: nothing stays behind at those. */
export function joinSignals(signals: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const joined = new AbortController();
  const sources = signals.filter((signal) => signal !== undefined);
  const listeners = sources.map((source) => {
    const abort = (): void => joined.abort(source.reason);
    source.addEventListener('abort', abort, { once: true });
    return { source, abort };
  });
  const aborted = sources.find((source) => source.aborted);
  if (aborted !== undefined) joined.abort(aborted.reason);
  return {
    signal: joined.signal,
    leave: () => {
      for (const { source, abort } of listeners) source.removeEventListener('abort', abort);
    },
  };
}

import { type Redactor, redactor } from '@agentrun/lib/contract';

/** A redactor that learns: what it is told of is masked from then on. */
export interface KnownSecrets extends Redactor {
  learn(value: string): void;
}

/** @param first values that are known from the start. */
export function knownSecrets(first: readonly string[]): KnownSecrets {
  const known = new Set(first);
  let current = redactor([...known]);
  return {
    text: (text) => current.text(text),
    json: (value) => current.json(value),
    finds: (text) => current.finds(text),
    learn: (value) => {
      if (known.has(value)) return;
      known.add(value);
      current = redactor([...known]);
    },
  };
}

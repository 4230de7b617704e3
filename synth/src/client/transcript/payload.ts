import type { RunEvent } from '@agentrun/lib/contract';

/** Reads the free members of an event: each may be missing, or of another type. */
export interface Payload {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  value(name: string): unknown;
}

export function payloadOf({ payload }: RunEvent): Payload {
  const value = (name: string): unknown => payload?.[name];
  return {
    value,
    text: (name) => {
      const found = value(name);
      return typeof found === 'string' ? found : undefined;
    },
    number: (name) => {
      const found = value(name);
      return typeof found === 'number' ? found : undefined;
    },
  };
}

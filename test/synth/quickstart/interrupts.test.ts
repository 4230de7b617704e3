import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Interrupted, Interrupts } from '../../../synth/src/quickstart/interrupts.ts';

function interrupts() {
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const told: number[] = [];
  const terminal = {
    stdout: { write: () => true },
    stderr: { write: () => true },
    env: {},
    cwd: () => '/',
    onSignal: (listener: (signal: NodeJS.Signals) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const interrupted = new Interrupts(terminal, (count) => told.push(count));
  const press = () => {
    for (const listener of listeners) listener('SIGINT');
  };
  return { interrupted, told, press, listeners };
}

describe('Ctrl-C', () => {
  it('counts once though the terminal and npm both tell of it', async () => {
    const { interrupted, told, press } = interrupts();
    press();
    press();
    expect(told).toEqual([1]);
    await delay(150);
    press();
    expect(told).toEqual([1, 2]);
    expect(interrupted.signal.reason).toBeInstanceOf(Interrupted);
  });

  it('stops what begins after it', () => {
    const { interrupted, press } = interrupts();
    let stops = 0;
    press();
    interrupted.stops = () => {
      stops += 1;
    };
    expect(stops).toBe(1);
  });

  it('is left to the process in the end', () => {
    const { interrupted, listeners } = interrupts();
    interrupted.close();
    expect(listeners.size).toBe(0);
  });
});

import type { Terminal } from './terminal.ts';

/** Tells a waiting person how far a long command is. */
export interface Progress {
  step(what: string): void;
  done(): void;
}

/** Below this number of lanes the answer comes at once. */
const WORTH_TELLING = 20;

/** One line on the terminal, rewritten as the lanes go by; nothing for programs and for short work. */
export function createProgress(terminal: Terminal, total: number, verb: string): Progress {
  if (terminal.stderr.isTTY !== true || total < WORTH_TELLING) return { step: () => {}, done: () => {} };
  let count = 0;
  return {
    step(what) {
      count += 1;
      terminal.stderr.write(`\r\u001b[K${verb} ${count}/${total} ${what}`);
    },
    done: () => {
      terminal.stderr.write('\r\u001b[K');
    },
  };
}

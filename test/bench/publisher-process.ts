import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isolatedGitEnvironment } from '../helpers/git-remote.ts';
import { bundleProgram } from './bundle-program.ts';
import type { PublishRequest } from './publisher.ts';

/** A running `publisher.ts`. */
export interface PublisherProcess {
  /** @returns how long it took, in milliseconds */
  publish(request: PublishRequest): Promise<number>;
  end(): Promise<void>;
}

export function startPublisher(scratch: string): PublisherProcess {
  const env = isolatedGitEnvironment();
  const child = spawn(process.execPath, [bundleProgram('publisher', scratch)], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  return {
    async publish(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error('the publisher ended before it answered');
      return Number(value);
    },
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}

import { AgentRunError } from '@agentrun/lib/errors';
import { StartError } from './config/start-error.ts';
import { HELP, readConfig } from './config.ts';
import { serve } from './serve.ts';

const print = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const config = await readConfig({ argv: process.argv.slice(2) });
  if (config === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const service = await serve(config, print);
  print(`manager: ${service.url}`);

  let stops = 0;
  const stop = (leaveRunning: boolean) => {
    stops += 1;
    // A second request ends at once what the first one waits for.
    service.stop({ leaveRunning, ...(stops > 1 ? { graceMs: 0 } : {}) }).then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', () => stop(true));
  process.on('SIGINT', () => stop(false));
}

function fail(error: unknown): void {
  if (error instanceof AgentRunError) {
    for (const { code, message, hint } of error.problems) {
      print(`error[${code}] ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`);
    }
    process.exit(error.code === 'usage' ? 2 : 1);
  }
  if (error instanceof StartError) {
    print(`error[${error.code}] ${error.message}\n  hint: ${error.hint}`);
    process.exit(1);
  }
  print(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}

main().catch(fail);

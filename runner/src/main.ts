import { redactor, streamRedactor } from '@agentrun/lib/contract';
import { fence } from '@agentrun/lib/processes';
import { type RunnerConfig, readConfig } from './config.ts';
import { EXIT, type ExitCode, RunnerExit } from './exit-code.ts';
import { type Log, lineLog } from './log.ts';
import { serveAttempt } from './runner-loop.ts';

const HELP = `Usage: agentrun-runner

Serves one attempt of a run: claims the run, drives its agent, and reports each outcome once.
The manager starts it with these variables:

  AGENTRUN_ATTEMPT_DIR   the folder of the attempt: attempt.json, token, profile.json, credential/
  AGENTRUN_ATTEMPT_ID    the id of the attempt, by which all its processes are found

Exit codes: 0 done, 1 failed, 2 usage, 3 fenced, 4 manager unreachable, 130 SIGINT, 143 SIGTERM
`;

const FENCE_MS = 5000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

async function main(args: readonly string[]): Promise<ExitCode> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  const shapes = redactor();
  const early = lineLog((text) => shapes.text(text));
  if (args.length > 0) {
    early(`there is no argument ${JSON.stringify(args[0])}; see agentrun-runner --help`);
    return EXIT.usage;
  }
  let config: RunnerConfig;
  try {
    config = await readConfig();
  } catch (error) {
    if (!(error instanceof RunnerExit)) throw error;
    early(error.message);
    return error.code;
  }
  const known = streamRedactor(config.secrets);
  const log = lineLog((text) => shapes.text(known.text(text)));
  const drain = listen(config, log);
  const thread = new URL('./lease-keeper-thread.js', import.meta.url);
  try {
    return await serveAttempt({ config, log, thread, drain });
  } catch (error) {
    return await fail(config, log, error);
  }
}

/** The first signal asks the runner to go, the second ends it. */
function listen(config: RunnerConfig, log: Log): AbortSignal {
  const drain = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (!drain.signal.aborted) return drain.abort(signal);
      log(`${signal} again: stopping at once`);
      void endAll(config).finally(() => process.exit(EXIT[signal]));
    });
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => void fail(config, log, error).then((code) => process.exit(code)));
  }
  return drain.signal;
}

/** A fault of ours: the agent must not outlive it. */
async function fail(config: RunnerConfig, log: Log, error: unknown): Promise<ExitCode> {
  log(`the runner failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  await endAll(config);
  return EXIT.failed;
}

async function endAll({ attempt }: RunnerConfig): Promise<void> {
  await fence(attempt.attemptId, { deadlineMs: FENCE_MS, exclude: [process.pid, process.ppid] });
}

process.exit(await main(process.argv.slice(2)));

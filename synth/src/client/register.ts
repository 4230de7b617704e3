import { IF_BUSY, RUN_STATUSES, SESSION_LIST_STATES } from '@agentrun/lib/contract';
import { type Command, Option } from 'commander';
import { type CommandContext, subcommand } from '../command.ts';
import type { ClientOptions } from './client.ts';
import {
  gathered,
  parsePositive,
  parseSeq,
  withClientOptions,
  withSendOptions,
  withWaitOptions,
} from './client-options.ts';
import type { CancelOptions } from './commands/cancel.ts';
import type { DiffSessionOptions } from './commands/diff-session.ts';
import type { ListOptions } from './commands/lists.ts';
import type { LogsOptions } from './commands/logs.ts';
import type { RunOptions } from './commands/run.ts';
import type { SendOptions } from './commands/send.ts';

/** The commands that speak to a manager. What they do is loaded when one of them is called. */
export function clientCommands(program: Command, context: CommandContext): void {
  const { terminal, exit } = context;
  const own = (usage: string, description: string) => subcommand(program, usage).description(description);

  withSendOptions(own('run', 'Give a text to an agent, and show what it does.'))
    .argument('<prompt>', 'the text, or "-" for stdin')
    .option('--session <session>', 'in this session, made when it is new; default: a new one')
    .option('--ephemeral', 'without a session: one turn, in a workspace that goes with it')
    .option('--profile <profile>', 'who answers; default: codex, or the profile of the session')
    .option('--file <local[=path]>', 'put a file into the workspace; may be given several times', gathered)
    .option('--tenant <tenant>', 'of a new session', 'default')
    .option('--project <project>', 'of a new session', 'default')
    .addHelpText(
      'after',
      `
Examples:
  agentrun run "add a test for the parser" --profile demo
  agentrun run - --file notes.md --wait -o json < task.txt`,
    )
    .action(async (prompt: string, options: RunOptions) =>
      exit(await (await import('./commands/run.ts')).run(prompt, options, terminal)),
    );

  withSendOptions(own('send', 'Send a text to a session: it steers the turn that runs, or begins one.'))
    .argument('<session>', 'the session')
    .argument('<prompt>', 'the text, or "-" for stdin')
    .addOption(new Option('--if-busy <what>', 'while a turn runs (default: steer)').choices(IF_BUSY))
    .action(async (session: string, prompt: string, options: ClientOptions & SendOptions) =>
      exit(await (await import('./commands/send.ts')).send(session, prompt, options, terminal)),
    );

  withWaitOptions(withClientOptions(own('logs', 'Show what was said and done.')))
    .argument('<id>', 'a session, or a run')
    .option('-f, --follow', 'go on as it grows: a run to its end, a session until Ctrl-C')
    .option('--since-seq <seq>', 'only events after this one; of a session, those of its newest run', parseSeq)
    .option('--until-idle', 'with -f: end when no turn of the session runs or waits')
    .action(async (id: string, options: LogsOptions) =>
      exit(await (await import('./commands/logs.ts')).logs(id, options, terminal)),
    );

  withClientOptions(own('cancel', 'End a run, a command, or what a session does.'))
    .argument('<id>', 'a session, a run or a command')
    .option('--reason <reason>', 'why, for the log')
    .option('--turn', 'of a session: only the turn that runs; its run stays open')
    .action(async (id: string, options: CancelOptions) =>
      exit(await (await import('./commands/cancel.ts')).cancel(id, options, terminal)),
    );

  withClientOptions(own('sessions', 'List sessions, the newest change first.'))
    .addOption(new Option('--state <state>', 'only these').choices(SESSION_LIST_STATES))
    .option('--profile <profile>', 'only those of a profile')
    .option('--limit <count>', 'how many', parsePositive, 50)
    .action(async (options: ListOptions & { state?: string }) =>
      exit(await (await import('./commands/lists.ts')).sessions(options, terminal)),
    );

  withClientOptions(own('runs', 'List runs, the newest first.'))
    .addOption(new Option('--status <status>', 'only these').choices([...RUN_STATUSES, 'open']))
    .option('--session <session>', 'only those of a session')
    .option('--profile <profile>', 'only those of a profile')
    .option('--limit <count>', 'how many', parsePositive, 50)
    .action(async (options: ListOptions & { status?: string; session?: string }) =>
      exit(await (await import('./commands/lists.ts')).runs(options, terminal)),
    );

  withClientOptions(own('doctor', 'Ask the manager whether what must always hold does hold.')).action(
    async (options: ClientOptions) => exit(await (await import('./commands/doctor.ts')).doctor(options, terminal)),
  );

  withClientOptions(own('diff-session', 'Show what the agent of a session changed in its workspace.'))
    .argument('<session>', 'the session')
    .option('--stat', 'only the counts')
    .option('--file <path>', 'show this file or folder of the workspace instead')
    .action(async (session: string, options: DiffSessionOptions) =>
      exit(await (await import('./commands/diff-session.ts')).diffSession(session, options, terminal)),
    );
}

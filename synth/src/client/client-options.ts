import { type Command, InvalidArgumentError, Option } from 'commander';

/** What every command of the client can be told. */
export function withClientOptions(command: Command): Command {
  return command
    .option('--url <url>', 'address of the manager; default: AGENTRUN_URL, else client.json of the data folder')
    .option('--api-key-file <file>', 'file with its key; default: AGENTRUN_API_KEY(_FILE), else client.json')
    .option('--data-dir <dir>', 'data folder of a manager on this machine; default: AGENTRUN_DATA_DIR, else its own')
    .addOption(
      new Option('-o, --output <format>', 'what stdout is for: people, or programs')
        .choices(['text', 'json'])
        .default('text'),
    );
}

/** What a command can be told that waits. */
export function withWaitOptions(command: Command): Command {
  return command
    .option('--timeout <seconds>', 'wait no longer; what was begun goes on (exit code 124)', parsePositive)
    .option('--reconnect-for <seconds>', 'how long the manager may be away meanwhile', parsePositive, 120)
    .option('--full', 'cut nothing of the output of tools and of diffs');
}

/** What a command can be told that sends a text. */
export function withSendOptions(command: Command): Command {
  return withWaitOptions(
    withClientOptions(command)
      .option('--wait', 'show the turn and end with it; default on a terminal')
      .option('--no-wait', 'end when the text is sent')
      .option('--no-runner', 'start no runner: somebody else does'),
  );
}

export function parsePositive(text: string): number {
  const number = Number(text);
  if (!/^[0-9]{1,7}$/.test(text) || number < 1) throw new InvalidArgumentError('give a whole number from 1.');
  return number;
}

export function parseSeq(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('give the number of an event, from 0.');
  return Number(text);
}

/** Gathers the values of an option that may be given several times. */
export const gathered = (value: string, before: readonly string[] = []): string[] => [...before, value];

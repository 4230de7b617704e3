import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { agentEnvironment } from '../agent-environment.ts';
import { findExecutable } from '../agent-executable.ts';
import { AgentSession } from '../agent-session.ts';
import type { Backend, BackendContext } from '../backend.ts';
import { asBackendFailure, BackendFailure } from '../backend-failure.ts';
import { CommandDriver } from './command-driver.ts';

/**
 * Any program: a process for each turn, the prompt on its stdin, which is then closed; its output is the answer.
 *
 * A line of stdout that is a JSON object of our event vocabulary, `{"type": "tool_begin", "itemId": …}`, becomes that
 * event; every other line is text of the answer. A line of stderr is output of the open tool, and without one a warning.
 * Exit code 0 completes the turn, another one fails it; a line `{"type": "error", "failureKind": …, "message": …}` says
 * why. To interrupt, the process group gets SIGINT. Nothing that a turn started survives it.
 *
 * The program learns by variables: `AGENTRUN_THREAD_ID` (the same in each turn of a conversation), `AGENTRUN_TURN_ID`,
 * `AGENTRUN_STATE_DIR` (a folder that lives as long as the session), and, where the profile has them,
 * `AGENTRUN_MODEL`, `AGENTRUN_BASE_URL` and the key, in `AGENTRUN_API_KEY` or the variable that the profile names.
 */
export const COMMAND_BACKEND: Backend = {
  name: 'command',
  canSteer: false,
  open: async (context) => {
    const env = { ...agentEnvironment(context), ...variablesOf(context) };
    const [program, ...args] = commandOf(context);
    const executable = await findExecutable(program, env['PATH'] ?? '');
    const stateDir = join(context.state, 'command');
    try {
      await mkdir(stateDir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw asBackendFailure(error, 'infra-failed', 'the state folder of the command could not be made');
    }
    return new AgentSession(
      new CommandDriver({ ...context, argv: [executable, ...args], env: { ...env, AGENTRUN_STATE_DIR: stateDir } }),
    );
  },
};

function commandOf({ profile, agents }: BackendContext): readonly [string, ...string[]] {
  const { command, model } = profile.config;
  const values: Readonly<Record<string, string>> = { node: process.execPath, agents, model: model ?? '' };
  const [program, ...args] = (command ?? []).map((part) =>
    part.replaceAll(/\{(node|agents|model)\}/g, (_whole, name: string) => values[name] ?? ''),
  );
  if (program !== undefined && program !== '') return [program, ...args];
  const what = `profile ${profile.name} has the backend "command", but names no command`;
  throw new BackendFailure('profile-invalid', `${what}. Set "command" to a list of the program and its arguments`);
}

function variablesOf({ profile }: BackendContext): Record<string, string> {
  const { model, baseUrl, options } = profile.config;
  const key = profile.credential.value;
  return {
    ...(model === undefined ? {} : { AGENTRUN_MODEL: model }),
    ...(baseUrl === undefined ? {} : { AGENTRUN_BASE_URL: baseUrl }),
    ...(key === undefined ? {} : { [options?.apiKeyVariable ?? 'AGENTRUN_API_KEY']: key }),
  };
}

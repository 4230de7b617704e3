import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentEnvironment } from '../agent-environment.ts';
import { CODEX, findExecutable } from '../agent-executable.ts';
import { AgentSession } from '../agent-session.ts';
import type { Backend, BackendContext } from '../backend.ts';
import { asBackendFailure } from '../backend-failure.ts';
import { AppServer, CODEX_DEADLINES, type CodexDeadlines } from './app-server.ts';
import { CodexDriver } from './codex-driver.ts';
import { codexFiles, KEY_VARIABLE } from './config.ts';

/**
 * Codex by its app-server: turns, steers, interrupts, conversations that survive the process. CODEX_HOME is `codex` in
 * the state folder of the session, so that the next runner finds the conversations.
 *
 * A command that a turn left running in the background lives on to the next turn; an interrupt and the end of the
 * session end it.
 */
export function codexBackend(deadlines: CodexDeadlines = CODEX_DEADLINES): Backend {
  return {
    name: 'codex',
    canSteer: true,
    open: async (context) => {
      const { profile, attemptId } = context;
      const env = agentEnvironment(context);
      const executable = await findExecutable(
        profile.config.options?.executable ?? CODEX.program,
        env['PATH'] ?? '',
        CODEX,
      );
      const home = await codexHome(context);
      const key = profile.credential.value;
      const options = {
        cwd: home,
        env: { ...env, CODEX_HOME: home, ...(key === undefined ? {} : { [KEY_VARIABLE]: key }) },
        attemptId,
        secrets: key === undefined ? [] : [key],
      };
      const driver: CodexDriver = new CodexDriver(context, deadlines, async (handlers, signal) => {
        const { server, version } = await AppServer.start(executable, options, handlers, deadlines.initialize, signal);
        if (version !== undefined && version !== CODEX.version) {
          driver.warn(`codex is version ${version}; this AgentRun is tested with ${CODEX.version}`);
        }
        return server;
      });
      await driver.ready();
      return new AgentSession(driver);
    },
  };
}

async function codexHome({ profile, state }: BackendContext): Promise<string> {
  const home = join(state, 'codex');
  const files = codexFiles(profile, home);
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) {
      const path = join(home, name);
      await writeFile(`${path}.new`, content, { mode: 0o600 });
      await rename(`${path}.new`, path);
    }
  } catch (error) {
    throw asBackendFailure(error, 'infra-failed', 'the settings of codex could not be written');
  }
  return home;
}

import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type AgentPackage, CODEX } from '../../runner/src/backends/agent-executable.ts';

/** An agent at its exact version: where its program is, or why it cannot be had. */
type InstalledAgent = { readonly program: string } | { readonly missing: string };

const LONGEST_MS = 10 * 60_000;

/** Where agents are kept between test runs: large programs, outside of node_modules. */
function agentsFolder(): string {
  return process.env['AGENTRUN_AGENTS_DIR'] ?? join(homedir(), '.cache', 'agentrun', 'agents');
}

const folderOf = ({ program, version }: AgentPackage): string => join(agentsFolder(), `${program}-${version}`);

/** The program of an agent that is installed already; undefined when it is not. */
export function installedAgent(agent: AgentPackage): string | undefined {
  const program = join(folderOf(agent), 'node_modules', '.bin', agent.program);
  try {
    accessSync(program, constants.X_OK);
    return program;
  } catch {
    return undefined;
  }
}

/** Installs an agent from npm, unless it is there. It is put in place whole: a broken download leaves nothing. */
async function installAgent(agent: AgentPackage): Promise<InstalledAgent> {
  const there = installedAgent(agent);
  if (there !== undefined) return { program: there };
  const folder = folderOf(agent);
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}.`);
  try {
    writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-audit', '--no-fund', '--save-exact', `${agent.package}@${agent.version}`];
    await promisify(execFile)('npm', args, { cwd: fresh, timeout: LONGEST_MS });
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const said = String((error as { stderr?: unknown }).stderr ?? error);
    const reason = /^npm error code (.*)$/m.exec(said)?.[1] ?? said.split('\n')[0];
    return { missing: `${agent.package}@${agent.version} could not be installed: ${reason}` };
  }
  const program = installedAgent(agent);
  return program === undefined ? { missing: `${agent.package}@${agent.version} has no program` } : { program };
}

/** Codex at the version that the runner is made for. */
export const installCodex = (): Promise<InstalledAgent> => installAgent(CODEX);

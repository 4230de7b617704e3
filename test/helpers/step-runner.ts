import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningScript, type ScriptResult, startScript } from './run-script.ts';
import { STEP_SCRIPTS, toolsImage } from './tools-image.ts';

export type Settings = Readonly<Record<string, string | undefined>>;

/** A workspace of the Pipeline with its steps, which run in the order of the calls. */
export interface StepRunner {
  /** An empty folder, gone at the end. */
  readonly root: string;
  readonly workspace: string;
  /** The only place of a step for temporary files. */
  readonly temporary: string;
  readonly home: string;
  start(step: string, settings: Settings): RunningScript;
  run(step: string, settings: Settings): Promise<ScriptResult>;
  remove(): void;
}

/** @param programs further programs of the image, by name; they come before those of the machine */
export function stepRunner(programs: (root: string) => Readonly<Record<string, string>> = () => ({})): StepRunner {
  const root = mkdtempSync(join(tmpdir(), 'agentrun-steps-'));
  const [workspace, temporary, home] = [join(root, 'workspace'), join(root, 'tmp'), join(root, 'home')];
  for (const folder of [workspace, temporary, home]) mkdirSync(folder);
  const path = toolsImage(root, programs(root));
  const start: StepRunner['start'] = (step, settings) => {
    const own = { PATH: path, HOME: home, TMPDIR: temporary, WORKSPACE: workspace, LANE: 'v0.1', STEP: step };
    return startScript(['sh', join(STEP_SCRIPTS, `${step}.sh`)], { env: { ...own, ...settings } });
  };
  return {
    root,
    workspace,
    temporary,
    home,
    start,
    run: (step, settings) => start(step, settings).done,
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

import type { EventInput } from '@agentrun/lib/contract';
import type { CommandRecord } from '../../../manager/src/store/commands.ts';
import {
  type Answer,
  externalRunner,
  type ManagerClient,
  placedRunner,
  type ScriptedRunner,
} from '../../helpers/manager-client.ts';
import type { ScriptedPlacement } from '../../helpers/scripted-placement.ts';

/** A run, its turn, and its runner. */
export interface UnderWay {
  readonly runId: string;
  readonly turn: CommandRecord;
  readonly runner: ScriptedRunner;
}

/** A run that nobody placed, served by a runner that registered with the API key. */
export async function underWay(manager: ManagerClient, input: object = {}, prompt?: string): Promise<UnderWay> {
  const { id: runId } = await manager.createRun(input);
  const turn = await manager.turn(runId, prompt);
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  await runner.ack(turn.id);
  return { runId, turn, runner };
}

type PlacingManager = ManagerClient & { readonly placement: ScriptedPlacement };

/** A run with a turn, and the runner that the placement started for it, which has done nothing yet. */
export async function placedScene(manager: PlacingManager, input: object = {}): Promise<UnderWay> {
  const { id: runId } = await manager.createRun(input);
  const turn = await manager.turn(runId);
  await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
  return { runId, turn, runner: placedRunner(manager, await manager.placement.nextStart()) };
}

/** The same with the turn taken up: the placement can end its runner. */
export async function placedUnderWay(manager: PlacingManager, input: object = {}): Promise<UnderWay> {
  const scene = await placedScene(manager, input);
  await scene.runner.claim();
  await scene.runner.ack(scene.turn.id);
  return scene;
}

/** What a runner is answered that registers. */
export interface Registered {
  readonly id: string;
  readonly attemptId: string;
  readonly token?: string;
  readonly registeredAt: string;
  readonly heartbeatAt: string;
}

let count = 0;
/** An id of a session that no other test of the file has. */
export function newSessionId(): string {
  count += 1;
  return `sess-${count}`;
}

/** The input of a run of a session. */
export function ofSession(sessionId: string, more: object = {}): object {
  return { workspaceRef: { kind: 'session' }, sessionRef: { sessionId }, ...more };
}

export const text = (commandId: string, said: string): EventInput => ({
  type: 'assistant_message',
  payload: { commandId, text: said },
});

/** The place that a refusal names first, as in JavaScript; undefined when it names none. */
export function refusedPlace(error: Answer<unknown>['error']): string | undefined {
  const errors = error?.details['errors'] as readonly { readonly path: string }[] | undefined;
  return errors?.[0]?.path;
}

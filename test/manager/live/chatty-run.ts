import type { EventInput } from '@agentrun/lib/contract';
import { externalRunner, type ManagerClient, type ScriptedRunner } from '../../helpers/manager-client.ts';

/** A run whose runner is told what to say. */
export interface ChattyRun {
  readonly runId: string;
  readonly turnId: string;
  readonly runner: ScriptedRunner;
  /** Appends so many events in one request. */
  say(count: number, size?: number): Promise<void>;
  /** Ends the turn and gives the run back. */
  end(): Promise<void>;
}

/** Makes a run with a turn under way; its runner beats by itself until the end. */
export async function chattyRun(
  client: ManagerClient,
  input: object = {},
  /** The manager that the runner talks to. */
  other: ManagerClient = client,
): Promise<ChattyRun> {
  const { id: runId } = await client.createRun(input);
  const turn = await client.turn(runId);
  const runner = await externalRunner(other, runId);
  await runner.claim();
  await runner.ack(turn.id);
  const beats = setInterval(() => void runner.beat().catch(() => undefined), 500);
  let said = 0;
  return {
    runId,
    turnId: turn.id,
    runner,
    say: async (count, size = 20) => {
      const events = Array.from({ length: count }, (): EventInput => {
        said += 1;
        return {
          type: 'assistant_delta',
          payload: { commandId: turn.id, n: said, text: `word ${said} `.padEnd(size, 'äx') },
        };
      });
      const answer = await runner.append(events, said - count + 1);
      if (!answer.ok) throw new Error(`${answer.failureKind}: ${answer.message}`);
    },
    end: async () => {
      await runner.report(turn.id);
      await runner.release();
      clearInterval(beats);
    },
  };
}

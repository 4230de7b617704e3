import type { TurnUsage } from '../backend.ts';
import { isObject, type JsonObject, number, text } from '../json-rpc.ts';
import type { Outcome, Turn } from '../turn.ts';
import { codexError, failureKindOf } from './failures.ts';
import { itemCompleted, itemStarted } from './items.ts';

/**
 * Turns the notifications of codex into the events of one turn. Those of other threads, such as sub-agents, and of other
 * turns, such as a command that outlived its own, are not for it.
 */
export class TurnListener {
  /** Settles when the turn is one that can be steered and interrupted: some time after codex answered its start. */
  readonly begun: Promise<void>;
  readonly #turn: Turn;
  readonly #begin: () => void;
  #expected: string | undefined;
  #retryStatus: number | undefined;

  constructor(turn: Turn) {
    this.#turn = turn;
    let begin = (): void => {};
    this.begun = new Promise((resolve) => {
      begin = resolve;
    });
    this.#begin = begin;
  }

  /** The turn as codex named it in its answer. */
  expect(turnId: string): void {
    this.#expected = turnId;
  }

  /** @returns how the turn ended, once codex says so */
  receive(method: string, params: JsonObject): Outcome | null {
    if (this.#turn.ended || !this.#isOurs(method, params)) return null;
    const { events } = this.#turn;
    const itemId = text(params['itemId']) ?? '';
    const delta = text(params['delta']) ?? '';
    const item = isObject(params['item']) ? params['item'] : {};
    switch (method) {
      case 'item/agentMessage/delta':
        events.textDelta(itemId, delta);
        return null;
      case 'item/reasoning/summaryTextDelta':
      case 'item/reasoning/textDelta':
        events.reasoning(itemId, delta);
        return null;
      case 'item/commandExecution/outputDelta':
      case 'item/fileChange/outputDelta':
        events.toolOutput(itemId, delta);
        return null;
      case 'item/mcpToolCall/progress':
        events.toolOutput(itemId, text(params['message']) ?? '');
        return null;
      case 'item/started':
        itemStarted(item, events);
        return null;
      case 'item/completed':
        itemCompleted(item, events, this.#turn.input.workspace);
        return null;
      case 'thread/tokenUsage/updated':
        this.#used(params['tokenUsage']);
        return null;
      case 'turn/plan/updated':
        events.status('plan-updated', { explanation: params['explanation'], plan: params['plan'] });
        return null;
      case 'model/rerouted':
        events.warning(`codex took another model: ${text(params['fromModel'])} became ${text(params['toModel'])}`);
        return null;
      case 'error':
        this.#failing(params);
        return null;
      case 'turn/completed':
        return this.#outcome(isObject(params['turn']) ? params['turn'] : {});
      default:
        return null;
    }
  }

  #isOurs(method: string, params: JsonObject): boolean {
    const turn = isObject(params['turn']) ? params['turn'] : {};
    const turnId = text(params['turnId']) ?? text(turn['id']);
    if (params['threadId'] !== this.#turn.threadId || turnId === undefined) return false;
    // A conversation that is resumed tells of its last turn first, so only two words name ours.
    if (method === 'turn/started' || turnId === this.#expected) {
      this.#turn.began(turnId);
      this.#begin();
    }
    return turnId === this.#turn.turnId;
  }

  /** Codex tells the tokens of each call of the model; those of the turn are their sum. */
  #used(tokenUsage: unknown): void {
    const last = isObject(tokenUsage) ? tokenUsage['last'] : undefined;
    if (!isObject(last)) return;
    const before = this.#turn.usage ?? { input: 0, cached: 0, output: 0, reasoning: 0 };
    const usage: TurnUsage = {
      input: before.input + (number(last['inputTokens']) ?? 0),
      cached: before.cached + (number(last['cachedInputTokens']) ?? 0),
      output: before.output + (number(last['outputTokens']) ?? 0),
      reasoning: before.reasoning + (number(last['reasoningOutputTokens']) ?? 0),
    };
    this.#turn.use(usage);
  }

  #failing(params: JsonObject): void {
    // The last one is told by the end of the turn.
    if (params['willRetry'] !== true) return;
    const { message, httpStatus } = codexError(params['error']);
    this.#retryStatus = httpStatus ?? this.#retryStatus;
    const [, attempt, max] = /(\d+)\/(\d+)/.exec(message) ?? [];
    const count = attempt === undefined ? {} : { attempt: Number(attempt), max: Number(max) };
    this.#turn.events.retry({ ...count, status: httpStatus, message });
  }

  #outcome(turn: JsonObject): Outcome {
    switch (turn['status']) {
      case 'completed':
        return { status: 'completed' };
      case 'interrupted':
        return { status: 'interrupted' };
      default: {
        const error = codexError(turn['error']);
        return { status: 'failed', kind: failureKindOf(error, this.#retryStatus), message: error.message };
      }
    }
  }
}

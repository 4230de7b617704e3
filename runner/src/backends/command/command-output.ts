import { EVENT_LIMITS } from '@agentrun/lib/contract';
import { TURN_FAILURE_KINDS, type TurnFailureKind } from '../backend-failure.ts';
import { type JsonObject, number, text } from '../json-rpc.ts';
import type { StreamLine } from '../line-splitter.ts';
import type { Turn } from '../turn.ts';
import type { ToolEnd } from '../turn-events.ts';
import { eventOf } from './output-line.ts';

const HALF = EVENT_LIMITS.textBytes / 2;
const TOOL_ENDS = ['ok', 'failed', 'denied', 'aborted'] as const satisfies readonly ToolEnd['status'][];
const CHANGES = ['add', 'update', 'delete'] as const;

/** The output of a program as events of its turn. Lines of text between two events are one message. */
export class CommandOutput {
  /** What the program itself said of its failure. */
  failure: { readonly kind: TurnFailureKind | undefined; readonly message: string } | undefined;
  readonly #turn: Turn;
  #message: BoundedText | null = null;
  #messages = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  line(line: StreamLine): void {
    const event = eventOf(line);
    if (event === null || !this.#apply(event.type, event.payload)) this.#text(line);
  }

  errorLine({ text: said, cutBytes }: StreamLine): void {
    if (said.trim() === '') return;
    const { events } = this.#turn;
    const tool = events.openTool;
    if (tool !== undefined) events.toolOutput(tool, `${said}\n`, 'stderr');
    else events.warning(said, { source: 'stderr', ...(cutBytes > 0 ? { truncatedBytes: cutBytes } : {}) });
  }

  end(): void {
    this.#endMessage();
  }

  #text({ text: said, cutBytes }: StreamLine): void {
    if (this.#message === null) {
      // A blank line is a part of a message, and none of its own.
      if (said.trim() === '') return;
      this.#messages += 1;
      this.#message = new BoundedText();
    }
    this.#message.add(`${said}\n`, cutBytes);
    this.#turn.events.textDelta(this.#itemId, `${said}\n`);
  }

  #endMessage(): void {
    const message = this.#message;
    if (message === null) return;
    this.#message = null;
    const { whole, cutBytes } = message.end();
    this.#turn.events.textDone(this.#itemId, whole, cutBytes);
  }

  get #itemId(): string {
    return `stdout-${this.#messages}`;
  }

  /** @returns false for an event that lacks what it must have: it is text then */
  #apply(type: string, payload: JsonObject): boolean {
    const { events } = this.#turn;
    const itemId = text(payload['itemId']);
    const said = text(payload['text']);
    const needs = (...members: unknown[]): boolean => members.every((member) => member !== undefined);
    const own = (apply: () => void): boolean => {
      this.#endMessage();
      apply();
      return true;
    };
    switch (type) {
      case 'assistant_delta':
        return needs(itemId, said) && own(() => events.textDelta(itemId ?? '', said ?? ''));
      case 'assistant_message':
        return needs(said) && own(() => events.textDone(itemId ?? 'message', said ?? ''));
      case 'reasoning':
        return needs(said) && own(() => events.reasoning(itemId ?? 'reasoning', said ?? ''));
      case 'tool_begin': {
        const toolName = text(payload['toolName']);
        const { command, cwd, input } = payload;
        const begin = { itemId: itemId ?? '', toolName: toolName ?? '', command: text(command), cwd: text(cwd), input };
        return needs(itemId, toolName) && own(() => events.toolBegin(begin));
      }
      case 'tool_output':
        return needs(itemId, said) && own(() => events.toolOutput(itemId ?? '', said ?? ''));
      case 'tool_end':
        return needs(itemId) && own(() => events.toolEnd(toolEnd(itemId ?? '', payload)));
      case 'file_change': {
        const path = text(payload['path']);
        const kind = CHANGES.find((known) => known === payload['kind']) ?? 'update';
        const change = {
          itemId,
          path: path ?? '',
          kind,
          diff: text(payload['diff']),
          movedTo: text(payload['movedTo']),
        };
        return needs(path) && own(() => events.fileChange(change));
      }
      case 'usage': {
        const count = (name: string): number => Math.max(0, Math.floor(number(payload[name]) ?? 0));
        const [input, cached, output, reasoning] = ['input', 'cached', 'output', 'reasoning'].map(count);
        return own(() =>
          this.#turn.use({ input: input ?? 0, cached: cached ?? 0, output: output ?? 0, reasoning: reasoning ?? 0 }),
        );
      }
      case 'retry':
        return own(() => events.retry(payload));
      case 'warning': {
        const message = text(payload['message']);
        return needs(message) && own(() => events.warning(message ?? ''));
      }
      case 'error': {
        const message = text(payload['message']);
        const kind = TURN_FAILURE_KINDS.find((known) => known === payload['failureKind']);
        return needs(message) && own(() => (this.failure = { kind, message: message ?? '' }));
      }
      default:
        return false;
    }
  }
}

function toolEnd(itemId: string, payload: JsonObject): ToolEnd {
  const exitCode = number(payload['exitCode']);
  const otherwise = exitCode === undefined || exitCode === 0 ? 'ok' : 'failed';
  return {
    itemId,
    status: TOOL_ENDS.find((known) => known === payload['status']) ?? otherwise,
    exitCode,
    durationMs: number(payload['durationMs']),
    output: text(payload['output']),
  };
}

/** The head and the tail of a text of any length. */
class BoundedText {
  #head = '';
  #tail = '';
  #cutBytes = 0;

  add(text: string, cutBytes: number): void {
    this.#cutBytes += cutBytes;
    if (this.#tail === '' && this.#head.length + text.length <= HALF) this.#head += text;
    else this.#tail += text;
    if (this.#tail.length <= 4 * HALF) return;
    const gone = this.#tail.slice(0, -HALF);
    this.#cutBytes += Buffer.byteLength(gone);
    this.#tail = this.#tail.slice(-HALF);
  }

  end(): { whole: string; cutBytes: number } {
    const mark = this.#cutBytes > 0 ? `[… ${this.#cutBytes} bytes cut …]\n` : '';
    return { whole: `${this.#head}${mark}${this.#tail}`.replace(/\n$/, ''), cutBytes: this.#cutBytes };
  }
}

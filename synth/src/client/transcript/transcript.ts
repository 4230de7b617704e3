import type { RunEvent } from '@agentrun/lib/contract';
import { DiffBlock } from './diff-block.ts';
import { type Paints, paints } from './paint.ts';
import { type Payload, payloadOf } from './payload.ts';
import { cutToWidth, plainLine, plainText } from './plain-text.ts';
import { statusLines } from './status-lines.ts';
import { TextBlock } from './text-block.ts';
import { ToolBlock, type TranscriptLimits } from './tool-block.ts';

export interface TranscriptOptions extends TranscriptLimits {
  readonly colour: boolean;
  write(text: string): void;
}

const REASONING_LINES = 6;

/**
 * The events of runs as a person reads them: what was said, tool calls with their output, changes of files, failures.
 * Text is written as it comes; everything else in whole lines.
 */
export class Transcript {
  readonly #options: TranscriptOptions;
  readonly #paint: Paints;
  readonly #texts: TextBlock;
  readonly #tools = new Map<string, { readonly block: ToolBlock; readonly head: readonly string[] }>();
  readonly #heard = new Set<string>();
  readonly #begun = new Map<string, number>();
  /** What the last line belongs to; blocks of different kinds are set apart by a blank line. */
  #block = '';
  /** The tool whose lines come last; output of another one is introduced by its head. */
  #current = '';
  /** What the last error said: how the turn ended need not say it again. */
  #failure = '';
  #reasoning = { itemId: '', partial: '', lines: 0 };

  constructor(options: TranscriptOptions) {
    this.#options = options;
    this.#paint = paints(options.colour);
    this.#texts = new TextBlock((text) => options.write(text));
  }

  /** Whether the last line has no end yet. */
  get isMidLine(): boolean {
    return this.#texts.isMidLine;
  }

  /** Ends the last line. */
  end(): void {
    this.#enter('');
  }

  /** A line of the reader's own, apart from what was said. */
  note(line: string): void {
    this.#lines('note', [this.#paint.dim(line)]);
  }

  event(event: RunEvent): void {
    const payload = payloadOf(event);
    const itemId = `${event.runId} ${payload.text('itemId') ?? ''}`;
    switch (event.type) {
      case 'user_message':
        return this.#userMessage(event.runId, payload);
      case 'assistant_delta':
        this.#enter(`text ${itemId}`);
        return this.#texts.delta(itemId, plainText(payload.text('text') ?? ''));
      case 'assistant_message': {
        const rest = this.#texts.whole(itemId, plainText(payload.text('text') ?? ''));
        if (rest === '') return;
        this.#enter(`text ${itemId}`);
        return this.#texts.rest(itemId, rest);
      }
      case 'reasoning':
        return this.#reason(itemId, payload.text('text') ?? '');
      case 'tool_begin':
        return this.#toolBegin(itemId, payload);
      case 'tool_output':
        return this.#toolLines(itemId, payload, (block) => block.output(payload.text('text') ?? ''));
      case 'tool_end':
        this.#toolLines(itemId, payload, (block) => block.end(payload));
        this.#tools.delete(itemId);
        return;
      case 'file_change':
        return this.#lines('tool', new DiffBlock(this.#paint, this.#options).lines(payload));
      case 'warning':
        return this.#lines('note', [
          this.#paint.warning(`warning: ${plainText(payload.text('message') ?? '').trim()}`),
        ]);
      case 'error':
        this.#failure = payload.text('message') ?? '';
        return this.#lines('note', [this.#paint.error(`error${failureText(payload)}`)]);
      case 'retry':
        this.#texts.forget(payload.value('voidItemIds'), event.runId);
        return this.#lines('note', [this.#paint.dim(`(asked again: ${retryText(payload)})`)]);
      case 'approval':
        return this.#lines('note', [
          this.#cut(this.#paint.warning, `approval: ${plainLine(JSON.stringify(event.payload))}`),
        ]);
      case 'backend_status':
      case 'terminal_status':
        return this.#lines('note', statusLines(event, this.#begun, this.#paint, this.#failure));
      case 'usage':
        return;
    }
  }

  #userMessage(runId: string, payload: Payload): void {
    const text = plainText(payload.text('text') ?? '').trim();
    const key = `${payload.text('commandId') ?? runId} ${text}`;
    if (this.#heard.has(key)) return;
    this.#heard.add(key);
    this.#lines(
      `user ${key}`,
      text.split('\n').map((line) => this.#paint.user(`> ${line}`)),
    );
  }

  #reason(itemId: string, text: string): void {
    if (this.#reasoning.itemId !== itemId) {
      this.#flushReasoning();
      this.#reasoning = { itemId, partial: '', lines: 0 };
    }
    const lines = `${this.#reasoning.partial}${text}`.split('\n');
    this.#reasoning.partial = lines.pop() ?? '';
    this.#reasonLines(lines);
  }

  #reasonLines(lines: readonly string[]): void {
    for (const line of lines) {
      const shown = plainText(line).trim();
      if (shown === '' || this.#reasoning.lines > REASONING_LINES) continue;
      this.#reasoning.lines += 1;
      const text = this.#reasoning.lines > REASONING_LINES ? '…' : shown;
      this.#enter('reasoning', false);
      this.#options.write(`${this.#cut(this.#paint.dim, text)}\n`);
    }
  }

  #flushReasoning(): void {
    const { partial } = this.#reasoning;
    this.#reasoning.partial = '';
    this.#reasonLines([partial]);
  }

  #toolBegin(itemId: string, payload: Payload): void {
    const block = new ToolBlock(this.#paint, this.#options);
    const head = block.head(payload);
    this.#tools.set(itemId, { block, head });
    this.#lines('tool', head);
    this.#current = itemId;
  }

  #toolLines(itemId: string, payload: Payload, linesOf: (block: ToolBlock) => string[]): void {
    let tool = this.#tools.get(itemId);
    if (tool === undefined) {
      const block = new ToolBlock(this.#paint, this.#options);
      tool = { block, head: block.head(payload) };
      this.#tools.set(itemId, tool);
    }
    const lines = linesOf(tool.block);
    if (lines.length === 0) return;
    const isOpen = this.#block === 'tool' && this.#current === itemId;
    this.#lines('tool', isOpen ? lines : [...tool.head, ...lines]);
    this.#current = itemId;
  }

  #lines(block: string, lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#enter(block);
    this.#options.write(`${lines.join('\n')}\n`);
  }

  #enter(block: string, flush = true): void {
    if (flush) this.#flushReasoning();
    if (block === this.#block) return;
    if (block !== '' && this.#block !== '') this.#texts.endLine(true);
    else this.#texts.endLine(false);
    if (block !== '') this.#block = block;
  }

  #cut(paint: (text: string) => string, line: string): string {
    return paint(cutToWidth(line, this.#options.columns));
  }
}

function failureText(payload: Payload): string {
  const kind = payload.text('failureKind');
  const message = plainText(payload.text('message') ?? '').trim();
  return `${kind === undefined ? '' : `[${kind}]`}${message === '' ? '' : ` ${message}`}`;
}

function retryText(payload: Payload): string {
  const [message, attempt] = [payload.text('message') ?? payload.text('reason'), payload.number('attempt')];
  const said = plainLine(message ?? 'the provider did not answer');
  return attempt === undefined ? said : `${said}, attempt ${attempt}`;
}

import type { EventInput, EventType } from '@agentrun/lib/contract';
import { TURN_OUTPUT_BYTES, type TurnUsage } from './backend.ts';
import { cleanPayload } from './clean-payload.ts';

/** What a backend can say of a tool call: how it begins. */
export interface ToolBegin {
  readonly itemId: string;
  /** `shell`, `apply_patch`, `<server>.<tool>`: what the agent calls it. */
  readonly toolName: string;
  readonly command?: string | undefined;
  readonly cwd?: string | undefined;
  readonly input?: unknown;
}

/** `aborted`: the turn ended before the tool did. `output` is authoritative, and replaces what was streamed. */
export interface ToolEnd {
  readonly itemId: string;
  readonly toolName?: string | undefined;
  readonly status: 'ok' | 'failed' | 'denied' | 'aborted';
  readonly exitCode?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly output?: string | undefined;
}

export interface FileChange {
  readonly itemId?: string | undefined;
  /** Relative to the workspace where it lies in it. */
  readonly path: string;
  readonly kind: 'add' | 'update' | 'delete';
  readonly movedTo?: string | undefined;
  /** A unified diff. */
  readonly diff?: string | undefined;
}

/** What is dropped when a turn has put out too much; all else has twice the room. */
const STREAMED: readonly EventType[] = ['assistant_delta', 'reasoning', 'tool_output', 'warning'];
/** What tells how the turn goes: few by nature. */
const ALWAYS: readonly EventType[] = ['backend_status', 'error', 'usage'];
const OVERHEAD_BYTES = 128;

/**
 * The events of one turn, in the vocabulary of the contract. It keeps what is open: a turn that ends closes its tools as
 * `aborted`. After `close` nothing is emitted.
 */
export class TurnEvents {
  readonly #emit: (event: EventInput) => void;
  readonly #tools = new Map<string, { readonly toolName: string; readonly startedAt: number }>();
  readonly #voidable = new Set<string>();
  #bytes = 0;
  #droppedBytes = 0;
  #closed = false;

  constructor(emit: (event: EventInput) => void) {
    this.#emit = emit;
  }

  get hasOpenTool(): boolean {
    return this.#tools.size > 0;
  }

  /** The tool that began last and has not ended. */
  get openTool(): string | undefined {
    return [...this.#tools.keys()].at(-1);
  }

  status(phase: string, members: Readonly<Record<string, unknown>> = {}): void {
    this.#put('backend_status', { phase, ...members });
  }

  textDelta(itemId: string, text: string): void {
    this.#voidable.add(itemId);
    this.#put('assistant_delta', { itemId, text });
  }

  /** `truncatedBytes`: what was cut before the text came here. */
  textDone(itemId: string, text: string, truncatedBytes?: number): void {
    this.#voidable.add(itemId);
    this.#put('assistant_message', { itemId, text, truncatedBytes: truncatedBytes || undefined });
  }

  reasoning(itemId: string, text: string): void {
    this.#put('reasoning', { itemId, text });
  }

  toolBegin(tool: ToolBegin): void {
    if (this.#tools.has(tool.itemId)) return;
    this.#tools.set(tool.itemId, { toolName: tool.toolName, startedAt: performance.now() });
    this.#put('tool_begin', { ...tool });
  }

  toolOutput(itemId: string, text: string, stream?: 'stdout' | 'stderr'): void {
    this.#put('tool_output', { itemId, mode: 'append', stream, text });
  }

  toolEnd(tool: ToolEnd): void {
    const open = this.#tools.get(tool.itemId);
    this.#tools.delete(tool.itemId);
    const toolName = tool.toolName ?? open?.toolName ?? 'tool';
    const durationMs = tool.durationMs ?? (open && Math.round(performance.now() - open.startedAt));
    this.#put('tool_end', { ...tool, toolName, durationMs });
  }

  fileChange(change: FileChange): void {
    this.#put('file_change', { ...change });
  }

  /** The tokens of the turn so far. An answer of the model is whole by then: a later retry does not void it. */
  usage(usage: TurnUsage): void {
    this.#voidable.clear();
    this.#put('usage', { ...usage, scope: 'turn' });
  }

  approval(members: Readonly<Record<string, unknown>>): void {
    this.#put('approval', members);
  }

  /** The agent asks the model again: the texts in `voidItemIds` were a broken answer, and come anew. */
  retry(members: Readonly<Record<string, unknown>>): void {
    const voidItemIds = [...this.#voidable];
    this.#voidable.clear();
    this.#put('retry', { ...members, voidItemIds });
  }

  warning(message: string, members: Readonly<Record<string, unknown>> = {}): void {
    this.#put('warning', { message, ...members });
  }

  error(failureKind: string, message: string): void {
    this.#put('error', { failureKind, message, phase: 'backend' });
  }

  /** Ends what is open. */
  settle(): void {
    for (const itemId of this.#tools.keys()) this.toolEnd({ itemId, status: 'aborted' });
    if (this.#droppedBytes > 0) {
      this.#raw('warning', {
        message: `the turn put out more than ${TURN_OUTPUT_BYTES} bytes; ${this.#droppedBytes} were not kept`,
        truncatedBytes: this.#droppedBytes,
      });
    }
  }

  close(): void {
    this.#closed = true;
  }

  #put(type: EventType, payload: Readonly<Record<string, unknown>>): void {
    if (this.#closed) return;
    const streamed = STREAMED.includes(type);
    // Once something was left out, what follows makes no sense.
    if (streamed && this.#droppedBytes > 0) return this.#drop(payload);
    const cleaned = cleanPayload(payload);
    const bytes = Buffer.byteLength(JSON.stringify(cleaned)) + OVERHEAD_BYTES;
    const limit = streamed ? TURN_OUTPUT_BYTES : 2 * TURN_OUTPUT_BYTES;
    if (!ALWAYS.includes(type) && this.#bytes + bytes > limit) return this.#drop(payload);
    this.#bytes += bytes;
    this.#raw(type, cleaned);
  }

  #drop({ text }: Readonly<Record<string, unknown>>): void {
    this.#droppedBytes += OVERHEAD_BYTES + (typeof text === 'string' ? Buffer.byteLength(text) : 0);
  }

  #raw(type: EventType, payload: Record<string, unknown>): void {
    if (this.#closed) return;
    try {
      this.#emit({ type, payload });
    } catch {
      // What becomes of a turn does not depend on who listens.
    }
  }
}

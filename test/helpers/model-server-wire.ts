import { randomUUID } from 'node:crypto';

/** What a request of an agent comes to. */
export interface ModelRequest {
  readonly model: string;
  readonly tools: readonly { readonly name: string; readonly type: string }[];
  readonly items: number;
  /** The latest text of the user, and the results of tools since. */
  readonly lastUser: string;
  readonly toolResults: number;
}

/** One step of a scripted answer. */
export type ModelStep =
  | { readonly text: string; readonly delayMs?: number }
  | { readonly reasoning: string }
  | { readonly shell: string; readonly args?: Record<string, unknown> }
  | { readonly write: { readonly path: string; readonly content: string } }
  | { readonly wait: number }
  /** Cuts the connection, in the first `times` requests. */
  | { readonly drop: true; readonly times?: number }
  | { readonly failed: { readonly code: string; readonly message: string } };

export interface ModelUsage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

/** The Responses interface of OpenAI, as far as codex uses it. */
export function readRequest(body: Record<string, unknown>): ModelRequest {
  const input = Array.isArray(body['input']) ? (body['input'] as Record<string, unknown>[]) : [];
  const tools = Array.isArray(body['tools']) ? (body['tools'] as Record<string, unknown>[]) : [];
  let [lastUser, toolResults] = ['', 0];
  for (const item of [...input].reverse()) {
    if (String(item['type']).endsWith('_output')) toolResults += 1;
    else if (item['role'] === 'user' && textOf(item['content']) !== '') {
      lastUser = textOf(item['content']);
      break;
    }
  }
  return {
    model: String(body['model']),
    tools: tools.map(({ name, type }) => ({ name: String(name ?? type), type: String(type) })),
    items: input.length,
    lastUser,
    toolResults,
  };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content.trim();
  const parts = Array.isArray(content) ? (content as Record<string, unknown>[]) : [];
  return parts
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join('\n')
    .trim();
}

const id = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '')}`;

/** The server-sent events of one answer. */
export class AnswerWriter {
  readonly #model: string;
  readonly #id = id('resp');
  readonly #output: object[] = [];
  #sequence = 0;

  constructor(model: string) {
    this.#model = model;
  }

  start(): string {
    return this.#event('response.created', { response: this.#response('in_progress') });
  }

  *text(pieces: readonly string[]): Generator<string> {
    const item = { type: 'message', id: id('msg'), role: 'assistant' };
    const at = { output_index: this.#output.length };
    yield this.#event('response.output_item.added', { ...at, item: { ...item, status: 'in_progress', content: [] } });
    for (const delta of pieces) {
      yield this.#event('response.output_text.delta', { ...at, item_id: item.id, content_index: 0, delta });
    }
    const content = [{ type: 'output_text', text: pieces.join(''), annotations: [] }];
    yield this.#done({ ...item, status: 'completed', content });
  }

  *reasoning(text: string): Generator<string> {
    const item = { type: 'reasoning', id: id('rs') };
    const at = { output_index: this.#output.length };
    const part = { ...at, item_id: item.id, summary_index: 0 };
    yield this.#event('response.output_item.added', { ...at, item: { ...item, summary: [] } });
    yield this.#event('response.reasoning_summary_part.added', { ...part, part: { type: 'summary_text', text: '' } });
    yield this.#event('response.reasoning_summary_text.delta', { ...part, delta: text });
    yield this.#done({ ...item, summary: [{ type: 'summary_text', text }] });
  }

  call(step: Extract<ModelStep, { shell: string }> | Extract<ModelStep, { write: object }>): string {
    const call = { id: id('item'), call_id: id('call'), status: 'completed' };
    if ('write' in step)
      return this.#done({ ...call, type: 'custom_tool_call', name: 'apply_patch', input: patch(step.write) });
    const args = JSON.stringify({ cmd: step.shell, ...step.args });
    return this.#done({ ...call, type: 'function_call', name: 'exec_command', arguments: args });
  }

  failed(error: { readonly code: string; readonly message: string }): string {
    return this.#event('response.failed', { response: { ...this.#response('failed'), error } });
  }

  end(usage: ModelUsage): string {
    const { input, cached, output, reasoning } = usage;
    const told = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    };
    return this.#event('response.completed', { response: { ...this.#response('completed'), usage: told } });
  }

  #response(status: string): object {
    return { id: this.#id, object: 'response', model: this.#model, status, output: this.#output };
  }

  #done(item: object): string {
    this.#output.push(item);
    return this.#event('response.output_item.done', { output_index: this.#output.length - 1, item });
  }

  #event(type: string, members: object): string {
    const data = JSON.stringify({ type, sequence_number: this.#sequence, ...members });
    this.#sequence += 1;
    return `event: ${type}\ndata: ${data}\n\n`;
  }
}

function patch({ path, content }: { readonly path: string; readonly content: string }): string {
  const lines = content.split('\n').map((line) => `+${line}`);
  return ['*** Begin Patch', `*** Add File: ${path}`, ...lines, '*** End Patch', ''].join('\n');
}

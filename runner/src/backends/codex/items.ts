import { isObject, type JsonObject, number, text } from '../json-rpc.ts';
import type { ToolBegin, ToolEnd, TurnEvents } from '../turn-events.ts';
import { fileChangeOf } from './file-diff.ts';

/** Items that are no tool: texts, which have events of their own, and what only codex needs. */
const NO_TOOL = new Set([
  'userMessage',
  'agentMessage',
  'reasoning',
  'plan',
  'hookPrompt',
  'contextCompaction',
  'enteredReviewMode',
  'exitedReviewMode',
  'subAgentActivity',
]);

/** An item of codex has begun. */
export function itemStarted(item: JsonObject, events: TurnEvents): void {
  const tool = toolOf(item);
  if (tool !== null) events.toolBegin(tool);
}

/** An item of codex is whole. */
export function itemCompleted(item: JsonObject, events: TurnEvents, workspace: string): void {
  const itemId = text(item['id']) ?? '';
  if (item['type'] === 'agentMessage') return events.textDone(itemId, text(item['text']) ?? '');
  if (item['type'] === 'contextCompaction') return events.status('context-compacted', { itemId });
  const tool = toolOf(item);
  if (tool === null) return;
  // Codex may report an item only at its end.
  events.toolBegin(tool);
  const end = toolEndOf(item, tool);
  if (item['type'] === 'fileChange' && end.status === 'ok' && Array.isArray(item['changes'])) {
    for (const value of item['changes']) {
      const change = isObject(value) ? fileChangeOf(value, workspace, itemId) : null;
      if (change !== null) events.fileChange(change);
    }
  }
  events.toolEnd(end);
}

function toolOf(item: JsonObject): ToolBegin | null {
  const type = text(item['type']);
  const itemId = text(item['id']);
  if (type === undefined || itemId === undefined || NO_TOOL.has(type)) return null;
  switch (type) {
    case 'commandExecution':
      return { itemId, toolName: 'shell', command: commandOf(item), cwd: text(item['cwd']) };
    case 'fileChange':
      return { itemId, toolName: 'apply_patch', input: { paths: pathsOf(item['changes']) } };
    case 'mcpToolCall':
      return { itemId, toolName: `${text(item['server'])}.${text(item['tool'])}`, input: item['arguments'] };
    case 'dynamicToolCall':
      return { itemId, toolName: text(item['tool']) ?? type, input: item['arguments'] };
    case 'collabAgentToolCall':
      return { itemId, toolName: text(item['tool']) ?? type, input: { prompt: item['prompt'] } };
    case 'webSearch':
      return { itemId, toolName: 'web_search', input: { query: item['query'] } };
    default:
      // A kind of a newer codex: its name says more than silence.
      return { itemId, toolName: type, input: { path: item['path'] } };
  }
}

function toolEndOf(item: JsonObject, { itemId, toolName }: ToolBegin): ToolEnd {
  return {
    itemId,
    toolName,
    status: statusOf(item),
    exitCode: number(item['exitCode']),
    durationMs: number(item['durationMs']),
    output: outputOf(item),
  };
}

function statusOf({ status, success }: JsonObject): ToolEnd['status'] {
  if (status === 'declined') return 'denied';
  return status === 'failed' || success === false ? 'failed' : 'ok';
}

function outputOf(item: JsonObject): string | undefined {
  const { aggregatedOutput, result, error, contentItems } = item;
  if (typeof aggregatedOutput === 'string') return aggregatedOutput;
  if (isObject(error)) return text(error['message']) ?? JSON.stringify(error);
  const content = contentItems ?? (isObject(result) ? result['content'] : result);
  if (content === undefined || content === null) return undefined;
  const texts = Array.isArray(content) ? content.map((part) => (isObject(part) ? text(part['text']) : undefined)) : [];
  return texts.length > 0 && texts.every((part) => part !== undefined) ? texts.join('\n') : JSON.stringify(content);
}

/** The command as the model wrote it, without the shell that codex wraps around it. */
function commandOf(item: JsonObject): string | undefined {
  const actions = item['commandActions'];
  const only = Array.isArray(actions) && actions.length === 1 ? actions[0] : undefined;
  // Of a command that codex understands it may keep a part only.
  const asWritten = isObject(only) && only['type'] === 'unknown' ? text(only['command']) : undefined;
  return asWritten ?? text(item['command']);
}

function pathsOf(changes: unknown): string[] {
  return Array.isArray(changes)
    ? changes.flatMap((change) => (isObject(change) ? (text(change['path']) ?? []) : []))
    : [];
}

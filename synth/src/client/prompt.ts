import { PROMPT_BYTES } from '@agentrun/lib/contract';
import type { Terminal } from '../terminal.ts';
import { clientError } from './client-error.ts';

/** The text that is sent: the argument, or with "-" what stands on stdin. */
export async function promptOf(argument: string, { stdin }: Terminal): Promise<string> {
  const text = argument === '-' ? await readAll(stdin) : argument;
  if (text.trim() === '') throw clientError('prompt-empty', argument === '-' ? 'stdin is empty' : 'the text is empty');
  const bytes = Buffer.byteLength(text);
  if (bytes > PROMPT_BYTES) {
    const hint = 'Put it into a file of the workspace: agentrun run --file.';
    throw clientError('usage', `the text has ${bytes} bytes; ${PROMPT_BYTES} are allowed`, hint);
  }
  return text;
}

async function readAll(stdin: Terminal['stdin']): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin ?? [])
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

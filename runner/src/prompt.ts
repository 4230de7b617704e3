import type { CommandPayload } from '@agentrun/lib/contract';
import { cleanText } from './backends/clean-payload.ts';

/** What a command says to the agent. Attachments are data that goes along; agents read them as JSON. */
export function promptOf({ prompt, attachments = [] }: CommandPayload): string {
  const said = cleanText(prompt);
  if (attachments.length === 0) return said;
  return `${said}\n\nAttachments, as JSON:\n\n${cleanText(JSON.stringify(attachments, null, 2))}`;
}

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResourceBundleRef } from '@agentrun/lib/contract';
import { WORKSPACE_OWN_FOLDER } from '@agentrun/lib/contract';
import { cleanText } from '../backends/clean-payload.ts';
import { replaceFile } from './workspace-path.ts';

const FILE = 'agentrun-briefing.json';

/**
 * What a conversation is told before its first prompt: the instructions of the bundle, and where its skills are. A
 * conversation that was told is not told again, unless they are others now.
 */
export class Briefing {
  readonly #text: string;
  readonly #hash: string;
  readonly #state: string;

  /** @param state the folder that the session keeps for the backend */
  constructor(bundle: ResourceBundleRef | null, state: string) {
    this.#text = textOf(bundle);
    this.#hash = createHash('sha256').update(this.#text).digest('hex');
    this.#state = state;
  }

  /** The prompt, with what comes before it. */
  async before(prompt: string, threadId: string | null): Promise<string> {
    if (this.#text === '') return prompt;
    const told = threadId === null ? null : await this.#told();
    return told?.threadId === threadId && told.hash === this.#hash ? prompt : `${this.#text}\n\n${prompt}`;
  }

  /** The conversation was told. */
  async note(threadId: string): Promise<void> {
    if (this.#text === '') return;
    await mkdir(this.#state, { recursive: true });
    await replaceFile(join(this.#state, FILE), JSON.stringify({ threadId, hash: this.#hash }), 0o600);
  }

  async #told(): Promise<{ threadId: unknown; hash: unknown } | null> {
    try {
      return JSON.parse(await readFile(join(this.#state, FILE), 'utf8')) as { threadId: unknown; hash: unknown };
    } catch {
      return null;
    }
  }
}

function textOf(bundle: ResourceBundleRef | null): string {
  const { instructions = '', skills = [] } = bundle ?? {};
  const list = skills.map(({ name, files }) => {
    const main = files.find(({ path }) => /^skill\.md$/i.test(path)) ?? files[0];
    return `- ${name}: ${WORKSPACE_OWN_FOLDER}/skills/${name}/${main?.path ?? ''}`;
  });
  const told = list.length === 0 ? '' : `Skills that you can use, as files of the workspace:\n${list.join('\n')}`;
  return cleanText([instructions.trim(), told].filter((part) => part !== '').join('\n\n'));
}

import { shellWord } from '../client/shell-word.ts';
import type { QuickstartFolder } from './data-folder.ts';

/** What one can look at once the manager runs, as lines. */
export function nextSteps(
  folder: QuickstartFolder,
  facts: { readonly url: string; readonly sessionId: string; readonly branch: string; readonly profile: string },
  dataDirOption: string | undefined,
): string[] {
  const { url, sessionId, branch, profile } = facts;
  const where = dataDirOption === undefined ? '' : ` --data-dir ${shellWord(dataDirOption)}`;
  const lines: [string, string][] = [
    [`npx agentrun send ${sessionId} "and once more"${where}`, 'the next turn of the session'],
    [`npx agentrun run "something slow" --profile ${profile}${where}`, 'another session; Ctrl-C leaves it running'],
    [`npx agentrun sessions${where}`, 'all sessions'],
    [`npx agentrun logs ${sessionId}${where}`, 'what was said and done'],
    [`npx agentrun diff-session ${sessionId}${where}`, 'what the agent changed'],
  ];
  const published = `git --git-dir ${shellWord(folder.remote)} log --stat ${branch}`;
  const width = Math.max(...lines.map(([command]) => command.length));
  return [
    `The manager runs at ${url}. In another terminal:`,
    '',
    ...lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`),
    `  ${published.padEnd(width)}  what was published`,
  ];
}

import type { ProfileConfig } from '@agentrun/lib/contract';

/** What a model is told that codex has no instructions for. */
const INSTRUCTIONS = `You are a coding agent that works in a folder on a computer, through the tools that you are given.

Do what the user asks, to its end, before you answer. Look at the files before you change them, and follow their style.
Change what the task needs and nothing else. After a change run the tests or the program, where there are any, and mend
what fails. Never undo changes that you did not make. Do not commit or push unless you are asked to.

Use the shell to read and search; prefer rg. Change files with apply_patch. When a command fails, read what it says and
try another way. Ask nothing: nobody may be there to answer; choose what is reasonable and say what you chose.

End with a short account for a person: what you did, what you saw working, and what is left.
`;

/**
 * The catalog that makes a model known to codex: its context window, its efforts, whether it takes the patch tool. Null
 * when the profile tells none of that; codex then takes what it knows or guesses.
 */
export function modelCatalog({ model, reasoning, options = {} }: ProfileConfig): object | null {
  const { contextWindow, reasoningLevels, patchTool } = options;
  if (model === undefined || (reasoningLevels === undefined && patchTool === undefined)) return null;
  const levels = reasoningLevels ?? [reasoning ?? 'medium'];
  return {
    models: [
      {
        slug: model,
        display_name: model,
        description: model,
        default_reasoning_level: reasoning ?? levels[0],
        supported_reasoning_levels: levels.map((effort) => ({ effort, description: effort })),
        shell_type: 'unified_exec',
        visibility: 'list',
        supported_in_api: true,
        default_reasoning_summary: 'auto',
        support_verbosity: false,
        ...(patchTool === true ? { apply_patch_tool_type: 'freeform' } : {}),
        truncation_policy: { mode: 'tokens', limit: 10_000 },
        context_window: contextWindow ?? 128_000,
        effective_context_window_percent: 95,
        experimental_supported_tools: [],
        input_modalities: ['text'],
        base_instructions: INSTRUCTIONS,
        priority: 1,
      },
    ],
  };
}

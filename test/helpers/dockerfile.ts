import { posix } from 'node:path';

/** One instruction: its name in capitals, its flags (`--from=x`), and the rest as one line. */
interface Instruction {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly rest: string;
}

export interface Stage {
  readonly name: string;
  /** The image or the earlier stage, arguments replaced by their defaults. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

function parseInstructions(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const joined = lines.join('\n').replace(/\\\n/g, ' ').split('\n');
  return joined.map((line) => {
    const [, name = '', after = ''] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(line) ?? [];
    const flags: Record<string, string> = {};
    let rest = after.trim();
    for (let flag = /^--([a-z]+)=(\S+)\s+/.exec(rest); flag; flag = /^--([a-z]+)=(\S+)\s+/.exec(rest)) {
      flags[flag[1] ?? ''] = flag[2] ?? '';
      rest = rest.slice(flag[0].length);
    }
    return { name: name.toUpperCase(), flags, rest };
  });
}

export function parseStages(text: string): Stage[] {
  const defaults: Record<string, string> = {};
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of parseInstructions(text)) {
    const open = stages.at(-1);
    if (instruction.name === 'FROM') {
      const [image = '', , name = ''] = instruction.rest.split(/\s+/);
      const from = image.replace(/\$\{([A-Z_]+)\}/g, (_, argument: string) => defaults[argument] ?? '');
      stages.push({ name, from, instructions: [] });
    } else if (open) open.instructions.push(instruction);
    else if (instruction.name === 'ARG') {
      const [argument = '', value = ''] = instruction.rest.split(/=(.*)/s);
      defaults[argument] = value;
    }
  }
  return stages;
}

/** The instructions of a stage, behind those of the stages that it is built from. */
function inherited(stages: readonly Stage[], stage: Stage): Instruction[] {
  const parent = stages.find((other) => other.name === stage.from);
  return [...(parent ? inherited(stages, parent) : []), ...stage.instructions];
}

/** The paths that a stage names: what it copies to, works in, or writes in a command. */
function producedPaths(instructions: readonly Instruction[]): string[] {
  let folder = '/';
  const paths: string[] = [];
  for (const { name, rest } of instructions) {
    if (name === 'WORKDIR') folder = rest;
    if (name === 'WORKDIR') paths.push(folder);
    if (name === 'COPY') {
      const words = rest.split(/\s+/);
      const target = words.pop() ?? '';
      const into = /(^|\/)\.?$/.test(target) ? words.map((path) => posix.basename(path)) : [''];
      paths.push(...into.map((path) => posix.resolve(folder, target, path)));
    }
    if (name === 'RUN') paths.push(...(rest.match(/(?<=\s)\/[A-Za-z0-9_./-]+/g) ?? []));
  }
  return paths;
}

/** What is wrong with a Dockerfile, as sentences; `exists` says whether the build context holds a path. */
export function dockerfileProblems(text: string, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  const stages = parseStages(text);
  for (const [index, stage] of stages.entries()) {
    const earlier = stages.slice(0, index);
    if (!/^[a-z][a-z0-9-]*$/.test(stage.name)) problems.push(`stage ${index} has no name`);
    if (earlier.some(({ name }) => name === stage.name)) problems.push(`two stages are named ${stage.name}`);
    if (!earlier.some(({ name }) => name === stage.from)) {
      if (!/:[^/]+$/.test(stage.from)) problems.push(`the image ${stage.from} has no tag`);
      if (/:latest\b/.test(stage.from)) problems.push(`the image ${stage.from} is a moving tag`);
    }
    for (const { name, flags, rest } of stage.instructions) {
      if (name === 'ADD') problems.push(`ADD ${rest}: use COPY`);
      if (name === 'RUN' && /https?:\/\//.test(rest)) problems.push(`a command fetches from a URL: ${rest}`);
      if (name === 'RUN' && /\bnpm (ci|install)\b(?!.*--ignore-scripts)/.test(rest))
        problems.push(`npm runs install scripts: ${rest}`);
      for (const [, script = ''] of rest.matchAll(/\bnode ([a-z][A-Za-z0-9_/.-]+)/g))
        if (name === 'RUN' && !exists(script)) problems.push(`a command runs ${script}, which does not exist`);
      if (name !== 'COPY') continue;
      const sources = rest.split(/\s+/).slice(0, -1);
      const from = flags['from'];
      const source = earlier.find((other) => other.name === from);
      if (from !== undefined && source === undefined) problems.push(`COPY --from=${from}: no earlier stage`);
      for (const path of sources) {
        if (from === undefined && !exists(path)) problems.push(`COPY ${path}: does not exist`);
        if (source && !producedPaths(inherited(stages, source)).some((known) => `${known}/`.startsWith(`${path}/`)))
          problems.push(`COPY --from=${from} ${path}: nothing in that stage makes it`);
      }
    }
  }
  return [...problems, ...targetProblems(stages)];
}

/** What is wrong with the stages that nothing else is built from or copied from: the images that are run. */
function targetProblems(stages: readonly Stage[]): string[] {
  const used = new Set<string | undefined>(
    stages.flatMap((stage) => [stage.from, ...stage.instructions.map(({ flags }) => flags['from'])]),
  );
  return stages
    .filter(({ name }) => !used.has(name))
    .flatMap((stage) => {
      const all = inherited(stages, stage);
      const last = (name: string): string => all.findLast((instruction) => instruction.name === name)?.rest ?? '';
      const problems: string[] = [];
      if (!/^10001(:10001)?$/.test(last('USER'))) problems.push(`${stage.name}: USER is "${last('USER')}", not 10001`);
      const [command = ''] = JSON.parse(last('ENTRYPOINT') || '[""]') as string[];
      const copied = all.some(({ name, rest }) => name === 'COPY' && rest.split(/\s+/).at(-1) === command);
      if (!copied) problems.push(`${stage.name}: the entrypoint ${command} was not copied`);
      if (!all.some(({ name }) => name === 'LABEL')) problems.push(`${stage.name}: no labels`);
      return problems;
    });
}

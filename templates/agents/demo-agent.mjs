#!/usr/bin/env node
/**
 * A small agent without a model, to look around with: it says what it was asked, notes it in a file of the workspace,
 * shows the difference, runs a command, and sums up. Its answer depends on nothing but the prompts of the conversation
 * and the notes in the workspace; it needs no network.
 *
 * It is a program of the backend "command": the prompt on stdin, events as JSON lines on stdout, its conversations in
 * AGENTRUN_STATE_DIR. A prompt with the word "slow" makes the command take twenty seconds, so that there is something to
 * interrupt.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const NOTES = 'demo-notes.md';
const TITLE = '# Notes of the demo agent\n\n';
const PAUSE_MS = 25;
const QUICK = `wc -l < ${NOTES} && tail -n 1 ${NOTES}`;
const SLOW = 'for i in $(seq 1 20); do echo "step $i of 20"; sleep 1; done';

let running;

process.on('SIGINT', () => {
  running?.kill('SIGINT');
  process.exit(130);
});
// Whoever reads has gone: nothing that is said now is heard.
process.stdout.on('error', () => process.exit(0));

const prompt = (await stdin()).trim();
const conversation = remembered();
const turn = conversation.length + 1;
const short = shortened(prompt);

say({
  type: 'reasoning',
  itemId: `plan-${turn}`,
  text: `Note what was asked, show it, and look at the file again. (turn ${turn})`,
});
await speak(`intro-${turn}`, greeting());
note();
const output = await run(/\bslow\b/i.test(prompt) ? SLOW : QUICK);
remember();
await speak(
  `end-${turn}`,
  `Done: "${short}" stands in ${NOTES} now, and the command printed ${counted(output, 'line')}.`,
);
say({ type: 'usage', input: words(prompt), cached: 0, output: words(output), reasoning: 0 });

function greeting() {
  const asked = `You asked: "${short}".`;
  if (turn === 1) return `${asked} This is the first turn of our conversation.`;
  return `${asked} This is turn ${turn}; your first was: "${shortened(conversation[0] ?? '')}".`;
}

function note() {
  const before = read(NOTES) ?? '';
  const line = `- turn ${turn}: ${short}\n`;
  const after = `${before === '' ? TITLE : before}${line}`;
  const itemId = `write-${turn}`;
  say({ type: 'tool_begin', itemId, toolName: 'write_file', input: { path: NOTES } });
  writeFileSync(NOTES, after);
  const kind = before === '' ? 'add' : 'update';
  say({ type: 'file_change', itemId, path: NOTES, kind, diff: appended(before, after) });
  say({ type: 'tool_end', itemId, toolName: 'write_file', status: 'ok' });
}

/** A unified diff of a file that only grew at its end. */
function appended(/** @type {string} */ before, /** @type {string} */ after) {
  const old = lines(before);
  const added = lines(after).slice(old.length);
  const context = old.slice(-3);
  const from = old.length - context.length + 1;
  const range =
    old.length === 0
      ? `@@ -0,0 +1,${added.length} @@`
      : `@@ -${from},${context.length} +${from},${context.length + added.length} @@`;
  const body = [...context.map((line) => ` ${line}`), ...added.map((line) => `+${line}`)].join('\n');
  return `--- ${old.length === 0 ? '/dev/null' : `a/${NOTES}`}\n+++ b/${NOTES}\n${range}\n${body}\n`;
}

async function run(/** @type {string} */ command) {
  const itemId = `shell-${turn}`;
  say({ type: 'tool_begin', itemId, toolName: 'shell', command });
  running = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let all = '';
  for (const stream of [running.stdout, running.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      all += text;
      say({ type: 'tool_output', itemId, text });
    });
  }
  const exitCode = await new Promise((resolve) => running?.on('close', (code) => resolve(code ?? 1)));
  running = undefined;
  say({ type: 'tool_end', itemId, toolName: 'shell', status: exitCode === 0 ? 'ok' : 'failed', exitCode, output: all });
  return all;
}

async function speak(/** @type {string} */ itemId, /** @type {string} */ text) {
  for (const word of text.match(/\S+\s*/g) ?? []) {
    say({ type: 'assistant_delta', itemId, text: word });
    await delay(PAUSE_MS);
  }
  say({ type: 'assistant_message', itemId, text });
}

function say(/** @type {object} */ event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function stdin() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text;
}

/** The file of the conversation; undefined when nobody gave the agent a place for it. */
function memory() {
  const { AGENTRUN_STATE_DIR: folder, AGENTRUN_THREAD_ID: thread } = process.env;
  return folder && thread ? join(folder, `${encodeURIComponent(thread)}.json`) : undefined;
}

/** @returns {string[]} the prompts so far */
function remembered() {
  const path = memory();
  const text = path === undefined ? undefined : read(path);
  return text === undefined ? [] : JSON.parse(text);
}

function remember() {
  const path = memory();
  if (path === undefined) return;
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify([...conversation, prompt]));
  renameSync(`${path}.new`, path);
}

function read(/** @type {string} */ path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function lines(/** @type {string} */ text) {
  return text.split('\n').slice(0, -1);
}

function counted(/** @type {string} */ text, /** @type {string} */ what) {
  const count = lines(text).length;
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function words(/** @type {string} */ text) {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

function shortened(/** @type {string} */ text) {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

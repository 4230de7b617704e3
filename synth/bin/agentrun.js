#!/usr/bin/env node
'use strict';
// The bin of the package, in plain JavaScript so that it is there before anything is built. It runs the bundle, or, in
// the repository, the compiled sources when they are newer. CommonJS, since Node starts that faster.
const { createHash } = require('node:crypto');
const { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const root = dirname(dirname(realpathSync(__filename)));
const folder = join(root, 'dist', 'bundle');
const bundle = join(folder, 'agentrun.cjs');
const main = join(root, 'dist', 'main.js');
/** Commands that run through most of the code: after them the code cache is worth keeping. */
const WARM = new Set(['check', 'publish', 'synth', 'verify']);

if (isFresh()) runBundle();
else if (changed(main) > 0) void import(pathToFileURL(main).href);
else {
  process.stderr.write('agentrun is not built yet: run "npm run build" in its repository\n');
  process.exitCode = 1;
}

/** Time of the last change, in milliseconds; 0 for what does not exist. */
function changed(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The notes of the compiler and of npm exist in the repository alone, and change with the sources and the packages. */
function isFresh() {
  const built = changed(bundle);
  if (built === 0) return false;
  const compiled = changed(join(root, 'dist', '.tsbuildinfo'));
  if (compiled === 0) return true;
  const notes = ['lib/dist/.tsbuildinfo', 'node_modules/.package-lock.json'].map((note) => join(dirname(root), note));
  return built >= Math.max(compiled, ...notes.map(changed));
}

/**
 * Runs the bundle with the code that V8 compiled at an earlier run. That cache lies beside the bundle and nowhere else:
 * it is code, so it belongs where only those write who may change the bundle too.
 */
function runBundle() {
  // One function that is called as Node calls a CommonJS module; all of it is ASCII.
  const text = readFileSync(bundle, 'latin1');
  // The first line names the content, so that no other bundle takes this one's cache.
  const id = text.slice(2, text.indexOf('\n'));
  const cache = join(folder, `${id}-${process.version}-${process.platform}-${process.arch}.cache`);
  const cachedData = readCache(cache);
  const script = new Script(text, {
    filename: 'agentrun.cjs',
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isUsed = cachedData !== undefined && script.cachedDataRejected !== true;
  if (!isUsed && WARM.has(process.argv[2])) process.once('exit', () => writeCache(cache, script));
  script.runInThisContext()(exports, require, module, bundle, folder);
}

/** V8 trusts a cache blindly, so that a damaged one must be told by its digest, the first 32 bytes. */
function readCache(path) {
  try {
    const bytes = readFileSync(path);
    const data = bytes.subarray(32);
    return digest(data).equals(bytes.subarray(0, 32)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Only in a folder of our own; options of V8 would make a cache that fits nobody else. */
function writeCache(path, script) {
  if (process.execArgv.length > 0 || process.env.NODE_OPTIONS || statSync(folder).uid !== process.getuid?.()) return;
  const temporary = `${path}.${process.pid}`;
  try {
    const data = script.createCachedData();
    writeFileSync(temporary, Buffer.concat([digest(data), data]), { flag: 'wx' });
    renameSync(temporary, path);
  } catch {
    // Without a cache the next start is slower, and as right.
    rmSync(temporary, { force: true });
  }
}

function digest(data) {
  return createHash('sha256').update(data).digest();
}

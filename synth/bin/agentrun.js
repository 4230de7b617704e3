#!/usr/bin/env node
// The bin of the package, in plain JavaScript so that it is there before anything is built. It runs the bundle, or, in
// the repository, the compiled sources when they are newer.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const folder = join(root, 'dist', 'bundle');
const bundle = join(folder, 'agentrun.cjs');
const main = join(root, 'dist', 'main.js');
/** Commands that run through most of the code: after them the code cache is worth keeping. */
const WARM = new Set(['check', 'diff', 'publish', 'synth', 'verify']);

if (isFresh()) runBundle();
else if (changed(main) > 0) await import(pathToFileURL(main).href);
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
  const notes = ['dist/.tsbuildinfo', '../lib/dist/.tsbuildinfo', '../node_modules/.package-lock.json'];
  const compiled = changed(join(root, notes[0])) > 0;
  return built > 0 && (!compiled || notes.every((note) => changed(join(root, note)) <= built));
}

/**
 * Runs the bundle with the code that V8 compiled at an earlier run. That cache lies beside the bundle and nowhere else:
 * it is code, so it belongs where only those write who may change the bundle too.
 */
function runBundle() {
  const text = readFileSync(bundle, 'latin1');
  // The first line names the content, so that no other bundle takes this one's cache.
  const id = text.slice(2, text.indexOf('\n'));
  const cache = join(folder, `${id}-${process.version}-${process.platform}-${process.arch}.cache`);
  const cachedData = readCache(cache);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${text}\n})`, {
    filename: bundle,
    columnOffset: -62,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isUsed = cachedData !== undefined && script.cachedDataRejected !== true;
  if (!isUsed && WARM.has(process.argv[2])) process.once('exit', () => writeCache(cache, script));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, folder);
}

/** V8 trusts a cache blindly, so a damaged one is told by its digest, the first 32 bytes. */
function readCache(path) {
  try {
    const bytes = readFileSync(path);
    const data = bytes.subarray(32);
    return digest(data).equals(bytes.subarray(0, 32)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** For a version of Node that has none yet, in a folder of our own. Options of V8 would make a cache of their own. */
function writeCache(path, script) {
  if (process.execArgv.length > 0 || process.env.NODE_OPTIONS) return;
  const temporary = `${path}.${process.pid}`;
  try {
    const { uid, mode } = statSync(folder);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return;
    const data = script.createCachedData();
    writeFileSync(temporary, Buffer.concat([digest(data), data]), { flag: 'wx' });
    renameSync(temporary, path);
    const id = path.slice(folder.length + 1).split('-')[0];
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.cache') && !name.startsWith(`${id}-`)) rmSync(join(folder, name), { force: true });
    }
  } catch {
    // Without a cache the next start is slower, and as right.
    rmSync(temporary, { force: true });
  }
}

function digest(data) {
  return createHash('sha256').update(data).digest();
}

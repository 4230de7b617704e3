#!/usr/bin/env node
// The bin of the package, in plain JavaScript so that it is there before anything is built. It is always compiled code
// that runs: a loader would cost every attempt its start.
import { existsSync } from 'node:fs';

const places = ['../dist/main.js', '../dist/bundle/main.js'].map((place) => new URL(place, import.meta.url));
const main = places.find((place) => existsSync(place));
if (main !== undefined) await import(main.href);
else {
  process.stderr.write('agentrun-runner is not built yet: run "npm run build" in its repository\n');
  process.exitCode = 1;
}

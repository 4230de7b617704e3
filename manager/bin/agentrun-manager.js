#!/usr/bin/env node
// The bin of the package, in plain JavaScript so that it is there before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write('agentrun-manager is not built yet: run "npm run build" in its repository\n');
  process.exitCode = 1;
}

import { linuxProcesses } from './linux-processes.ts';
import { macosProcesses } from './macos-processes.ts';
import type { ProcessSource } from './process-entry.ts';

const unknownSystem: ProcessSource = {
  bootId: () => null,
  find: () => 'hidden',
  list: () =>
    Promise.resolve({
      entries: [],
      couldNotLook: `processes cannot be looked at on ${process.platform}: use Linux or macOS`,
      passing: false,
    }),
  isStill: () => false,
};

/** The processes of the system that this process runs on. */
export const processSource: ProcessSource =
  process.platform === 'linux' ? linuxProcesses : process.platform === 'darwin' ? macosProcesses : unknownSystem;

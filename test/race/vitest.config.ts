import { defineConfig } from 'vitest/config';
import { conditions } from '../helpers/conditions.ts';

/** Races that take minutes; `npm test` has smaller ones. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: { include: ['*.test.ts'], testTimeout: 1_800_000, fileParallelism: false },
});

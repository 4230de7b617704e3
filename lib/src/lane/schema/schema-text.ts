import { laneSchema } from './index.ts';

/** The lane schema as the JSON file that editors read; `x-expected`, which our messages use, stays out. */
export function laneSchemaText(): string {
  const text = JSON.stringify(laneSchema, (key, value: unknown) => (key === 'x-expected' ? undefined : value), 2);
  return `${text}\n`;
}

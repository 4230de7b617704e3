/** The environment of the manager: one table, written from a lane by the renderer and read back by the manager. */
export { type Parser, ValueError } from './parsers.ts';
export { readManagerConfig } from './read.ts';
export {
  type Condition,
  type Encoding,
  type ManagerConfig,
  managerRows,
  managerSettings,
  managerTailRows,
  type Row,
  reservedNames,
  type Setting,
  type Source,
} from './table.ts';

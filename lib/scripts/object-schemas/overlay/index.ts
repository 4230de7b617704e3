import { ARGO_ROWS } from './argo-rows.ts';
import { CONTAINER_ROWS } from './container-rows.ts';
import { KIND_ROWS } from './kind-rows.ts';
import { METADATA_ROWS } from './metadata-rows.ts';
import { NETWORK_ROWS } from './network-rows.ts';
import { POD_ROWS } from './pod-rows.ts';
import { PROBE_ROWS } from './probe-rows.ts';
import type { OverlayRow } from './row.ts';
import { STORAGE_ROWS } from './storage-rows.ts';
import { VARIABLE_ROWS } from './variable-rows.ts';
import { VOLUME_ROWS } from './volume-rows.ts';
import { WORKLOAD_ROWS } from './workload-rows.ts';

/** What the generated definitions do not carry: integers, words, ranges, names. Each row has an example that it refuses. */
export const OVERLAY: readonly OverlayRow[] = [
  ...KIND_ROWS,
  ...METADATA_ROWS,
  ...WORKLOAD_ROWS,
  ...POD_ROWS,
  ...CONTAINER_ROWS,
  ...VARIABLE_ROWS,
  ...PROBE_ROWS,
  ...VOLUME_ROWS,
  ...STORAGE_ROWS,
  ...NETWORK_ROWS,
  ...ARGO_ROWS,
];

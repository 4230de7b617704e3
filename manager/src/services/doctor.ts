import type { Diagnosis } from '@agentrun/lib/contract';
import { findViolations, RULE_NAMES } from '../store/doctor.ts';
import type { Manager } from './manager.ts';

/** How late a look at a run may be before it counts as forgotten. */
const SLACK_MS = 60_000;

/** What must always hold, and where it does not. */
export async function doctor(manager: Manager): Promise<Diagnosis> {
  const slackMs = SLACK_MS + manager.times.graceMs;
  const violations = await findViolations(manager.pool, slackMs, manager.config.staleHeartbeatFencingMs);
  return { ok: violations.length === 0, rules: [...RULE_NAMES], violations, count: violations.length };
}

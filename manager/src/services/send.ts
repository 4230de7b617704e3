import type { CommandPayload, SessionSend } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { invalidField } from '../invalid-field.ts';
import { commandRecord } from '../store/commands.ts';
import { notifyRun } from '../store/notify.ts';
import { runRecord } from '../store/runs.ts';
import { findSession, lockSession, type SessionRow } from '../store/sessions.ts';
import { assertPromptSize, createCommandIn } from './create-command.ts';
import { assertUsable, createRunIn, runInput, sessionFor } from './create-run.ts';
import { pollActions, sendPlan } from './descriptors.ts';
import { idempotent, type Key } from './idempotent.ts';
import { change, type Manager } from './manager.ts';
import { createRunnerJobIn } from './runner-jobs.ts';
import { activeSummary, type Decision, decide, runOf } from './send-decision.ts';

/**
 * Sends a text to a session. Deciding and writing are one transaction under the lock of the session: a text is never
 * lost between two turns, and no second run begins beside the first.
 *
 * @throws Failure `session-busy` with `ifBusy: reject`; `session-store-evicted`; `schema-invalid` without a text, or when
 *   a new run needs what neither `run` nor the session says.
 */
export async function send(manager: Manager, sessionId: string, body: SessionSend, key: Key | undefined) {
  const payload = payloadOf(body);
  assertPromptSize(payload, body.payload === undefined ? 'body.prompt' : 'body.payload.prompt');
  if (body.dryRun === true) {
    const session = await findSession(manager.pool, sessionId);
    if (session !== undefined) assertUsable(session);
    return await sendPlan(manager, sessionId, body, payload, await decide(manager.pool, session, body, false));
  }
  const touched = { runId: '' };
  const result = await change(manager, sessionId, (sql) =>
    idempotent(sql, key, async () => {
      const session = (await lockSession(sql, sessionId)) ?? (await newSession(manager, sql, sessionId, body));
      assertUsable(session);
      const decision = await decide(sql, session, body, true);
      const done = await carryOut(manager, sql, sessionId, session, body, payload, decision);
      touched.runId = done.run.id;
      return done;
    }),
  );
  if (touched.runId !== '') manager.wakeups.wake(touched.runId);
  return result;
}

/** Made before anything is decided: of several first texts, each but one finds the session and its run under the lock. */
async function newSession(manager: Manager, sql: Sql, sessionId: string, body: SessionSend): Promise<SessionRow> {
  const input = await runInput(manager, runOf(sessionId, undefined, body));
  return await sessionFor(sql, input, { ...input.sessionRef, sessionId });
}

function payloadOf(body: SessionSend): CommandPayload {
  if (body.payload !== undefined) return body.payload;
  const prompt = [body.prompt, body.message, body.text].find((text) => text !== undefined && text.trim() !== '');
  if (prompt !== undefined) return { prompt: prompt.trim() };
  throw invalidField('body.prompt', 'is missing, and so are message, text and payload');
}

async function carryOut(
  manager: Manager,
  sql: Sql,
  sessionId: string,
  session: SessionRow,
  body: SessionSend,
  payload: CommandPayload,
  { decision, run: open, active }: Decision,
) {
  const run = open ?? (await createRunIn(manager, sql, await runInput(manager, runOf(sessionId, session, body))));
  const command = await createCommandIn(
    manager,
    sql,
    run,
    { type: decision, payload, ...(decision === 'steer' ? { ifTurnEnded: body.ifTurnEnded ?? 'turn' } : {}) },
    null,
  );
  // Runners wait for news of the run, not of the session.
  await notifyRun(sql, run.id);
  const wantsJob = body.createRunnerJob !== false && run.attempt_id === null;
  const runnerJob = wantsJob ? await createRunnerJobIn(manager, sql, run, command.id, null) : null;
  return {
    action: 'session-send' as const,
    dryRun: false,
    mutation: true,
    sessionId,
    decision,
    internalCommandType: command.type,
    reusedActiveRun: open !== undefined,
    run: manager.redact.json(runRecord(run)),
    command: manager.redact.json(commandRecord(command)),
    runnerJob,
    activeBefore: decision === 'steer' && active !== undefined ? activeSummary(active) : null,
    pollActions: pollActions(sessionId, run.id, command.id),
    valuesPrinted: false as const,
  };
}

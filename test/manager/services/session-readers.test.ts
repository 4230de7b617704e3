import { SESSION_TTL_MS } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { newSessionId, ofSession, underWay } from './scenes.ts';
import { sessionScenes } from './session-scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { create, show, sql } = sessionScenes(() => manager);

describe('the expiry of a session', () => {
  it('slides with each turn, from the end of that', async () => {
    const sessionId = newSessionId();
    await create({ sessionId });
    await sql(`UPDATE agentrun_sessions SET expires_at = now() + interval '1 hour' WHERE session_id = $1`, [sessionId]);
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    const ended = Date.now();
    await runner.report(turn.id);
    const { expiresAt } = await show(sessionId);
    expect(Date.parse(String(expiresAt))).toBeGreaterThanOrEqual(ended + SESSION_TTL_MS - 1000);
  });

  it('stays where it was put when that is later', async () => {
    const expiresAt = '2099-01-02T03:04:05.678Z';
    const sessionId = newSessionId();
    await create({ sessionId, expiresAt });
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    expect((await show(sessionId))['expiresAt']).toBe(expiresAt);
  });

  it('is never for one that asks for that', async () => {
    const sessionId = newSessionId();
    await create({ sessionId, expiresAt: null });
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    expect((await show(sessionId))['expiresAt']).toBeNull();
  });
});

describe('what a reader has seen', () => {
  it('is marked at the version of then, for that reader alone', async () => {
    const sessionId = newSessionId();
    await create({ sessionId });
    const { version } = await show(sessionId);
    expect(await show(sessionId, '?readerId=me')).toMatchObject({ unread: true, attentionState: 'unread' });
    expect(await manager.ask('POST', `sessions/${sessionId}/read`, { readerId: 'me' })).toMatchObject({
      sessionId,
      readerId: 'me',
      sessionVersion: version,
    });
    expect(await show(sessionId, '?readerId=me')).toMatchObject({ unread: false, attentionState: 'quiet' });
    expect(await show(sessionId, '?readerId=you')).toMatchObject({ unread: true });
    expect(await manager.ask('POST', `sessions/${sessionId}/read`)).toMatchObject({ readerId: 'cli' });
  });

  it('is unread again with the next turn, and with its end', async () => {
    const sessionId = newSessionId();
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    const read = () => manager.ask('POST', `sessions/${sessionId}/control`, { action: 'read', readerId: 'me' });
    expect(await read()).toMatchObject({
      action: 'read',
      target: { kind: 'session', id: sessionId },
      cursor: { readerId: 'me' },
    });
    expect(await show(sessionId, '?readerId=me')).toMatchObject({ unread: false });
    await runner.append([{ type: 'assistant_delta', payload: { text: 'x' } }], 1);
    expect(await show(sessionId, '?readerId=me')).toMatchObject({ unread: false });
    await runner.report(turn.id, 'failed');
    expect(await show(sessionId, '?readerId=me')).toMatchObject({ unread: true, attentionState: 'failed' });
    await read();
    expect(await show(sessionId, '?readerId=me')).toMatchObject({ unread: false, attentionState: 'quiet' });
  });

  it('never goes back', async () => {
    const sessionId = newSessionId();
    await create({ sessionId });
    await sql(
      `INSERT INTO agentrun_session_read_cursors (session_id, reader_id, session_version) VALUES ($1, 'me', 1000000)`,
      [sessionId],
    );
    expect(await manager.ask('POST', `sessions/${sessionId}/read`, { readerId: 'me' })).toMatchObject({
      sessionVersion: 1_000_000,
    });
  });

  it('raises the version in the order in which changes become visible', async () => {
    const sessionId = newSessionId();
    const versions = [(await create({ sessionId })).data.session.version];
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    versions.push((await show(sessionId)).version);
    await runner.report(turn.id);
    versions.push((await show(sessionId)).version);
    await runner.release();
    versions.push((await show(sessionId)).version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(4);
  });
});

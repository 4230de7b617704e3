import type { TestManager } from '../../helpers/manager.ts';

export type Session = Record<string, unknown> & { readonly sessionId: string; readonly version: number };

const BODY = { tenantId: 'tenant', projectId: 'project' };

/** What the tests of sessions do, with the manager of the file. */
export function sessionScenes(manager: () => TestManager) {
  return {
    create: (body: object = {}) =>
      manager().request<{ action: string; session: Session; pvc?: object }>('POST', 'sessions', { ...BODY, ...body }),
    show: (id: string, query = '') => manager().ask<Session>('GET', `sessions/${id}${query}`),
    sql: (text: string, values: unknown[] = []) => manager().running.serving.pool.query(text, values),
  };
}

import { DIAGNOSIS } from '@agentrun/lib/contract';
import type { ManagerServer } from '../http/server.ts';
import { doctor } from '../services/doctor.ts';
import type { Serving } from './serving.ts';

export function doctorRoutes(app: ManagerServer, serving: Serving): void {
  app.get('/api/v1/doctor', { schema: { response: { 200: DIAGNOSIS } } }, async () => await doctor(serving));
}

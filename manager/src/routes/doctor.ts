import type { ManagerServer } from '../http/server.ts';
import { doctor } from '../services/doctor.ts';
import { DOCTOR } from './health-answers.ts';
import type { Serving } from './serving.ts';

export function doctorRoutes(app: ManagerServer, serving: Serving): void {
  app.get('/api/v1/doctor', { schema: { response: { 200: DOCTOR } } }, async () => await doctor(serving));
}

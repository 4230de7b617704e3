import type { FastifyBaseLogger } from 'fastify';
import { runnerVerifier } from './http/caller.ts';
import { buildServer, type ManagerServer, type ServerOptions } from './http/server.ts';
import { commandRoutes } from './routes/commands.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { providerProfileRoutes } from './routes/provider-profiles.ts';
import { runnerRoutes } from './routes/runners.ts';
import { runRoutes } from './routes/runs.ts';
import type { Serving } from './routes/serving.ts';
import { sessionStorageRoutes } from './routes/session-storage.ts';
import { sessionRoutes } from './routes/sessions.ts';

/** The manager's HTTP interface over its services; it does not listen yet. */
export async function buildApp(
  serving: Serving,
  options: Omit<ServerOptions, 'verifyRunner' | 'log'> & { readonly log: FastifyBaseLogger },
): Promise<ManagerServer> {
  const app = await buildServer({ ...options, redactor: serving.redact, verifyRunner: runnerVerifier(serving) });
  healthRoutes(app, serving);
  runRoutes(app, serving);
  commandRoutes(app, serving);
  eventRoutes(app, serving);
  runnerRoutes(app, serving);
  providerProfileRoutes(app, serving);
  sessionRoutes(app, serving);
  sessionStorageRoutes(app, serving);
  doctorRoutes(app, serving);
  return app;
}

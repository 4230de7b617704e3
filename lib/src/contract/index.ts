/** The wire: shapes, states, limits and words that the manager, the runner and their clients share. */
export * from './attempt.ts';
export * from './backend-capabilities.ts';
export * from './command.ts';
export * from './event.ts';
export * from './failure-kinds.ts';
export { CANCEL_STAGES, CLEANUP_ORDER, DELIVERY_MODES, RUNNER_PLACEMENTS } from './lifecycle.ts';
export * from './profile.ts';
export * from './redact.ts';
export * from './run.ts';
export * from './run-input.ts';
export * from './runner.ts';
export * from './scalar.ts';
export { SECRET_MARK } from './secret-shapes.ts';
export * from './session.ts';
export * from './states.ts';
export * from './stream-redactor.ts';
export * from './workspace-record.ts';

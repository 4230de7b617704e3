/** The folder of a workspace that is AgentRun's own, and the record in it of what a bundle put there. */
export const WORKSPACE_OWN_FOLDER = '.agentrun';
/** The name of the record in that folder. */
export const WORKSPACE_RECORD = 'bundle.json';

/** A checkout that a bundle made: where, and at which commit. */
export interface RecordedCheckout {
  /** Below the workspace, with "/" between its parts. */
  readonly path: string;
  readonly commit: string;
}

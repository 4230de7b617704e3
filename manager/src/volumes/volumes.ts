import type { WorkspaceChange, WorkspaceFile } from '@agentrun/lib/contract';

/** A volume of a session: where its agents work, and what they keep between turns. */
interface Volume {
  /** Names one generation of one session; never used again for another. */
  readonly name: string;
  readonly namespace: string;
  /** As the platform says it, such as `Bound`. */
  readonly phase: string;
}

/** What is on a volume. */
interface VolumeContents {
  readonly sizeBytes: number;
  readonly filesCount: number;
  readonly phase: string;
}

/** The folders that a runner is given. Absolute paths. */
export interface VolumeFolders {
  readonly workspace: string;
  readonly home: string;
  readonly state: string;
}

/**
 * Where the volumes of sessions live. All calls may be repeated: making what is there and removing what is gone are no
 * errors. What cannot be done rejects with a `Failure`.
 */
export interface Volumes {
  create(sessionId: string, generation: number): Promise<Volume>;
  /** Null when there is no such volume. */
  measure(name: string): Promise<VolumeContents | null>;
  /** Takes a volume out of use; what is on it is kept for a while. */
  evict(name: string): Promise<void>;
  /** The names of all volumes in use. Rejects when it could not look: an empty list means that there are none. */
  list(): Promise<readonly string[]>;
  /** Deletes what was taken out of use longer than `ms` ago; gives the names. */
  purge(ms: number): Promise<readonly string[]>;
  folders(name: string): VolumeFolders;
  /** What was changed in the workspace of a volume. */
  changes(name: string): Promise<readonly WorkspaceChange[]>;
  /** A file or a folder of the workspace of a volume. */
  file(name: string, path: string): Promise<WorkspaceFile>;
  /** Folders for a run without a session, which go with it. */
  ephemeral(runId: string): Promise<VolumeFolders>;
}

import { maskSecrets } from './contract/secret-shapes.ts';

/**
 * The table of error codes, and the shapes in which errors travel.
 *
 * Every code that AgentRun prints stands here once, with the next step for the person who meets it;
 * `docs/errors.md` is made from this table.
 */
export const ERROR_CODES = {
  // The lane file
  'lane-not-found': 'Name a lane that exists, or give the path of its file.',
  'lane-unreadable': 'Make the file readable, as UTF-8 text without a byte order mark.',
  'lane-syntax': 'Correct the YAML at the place shown.',
  'lane-empty': 'Begin with a copy of another lane: agentrun lane new.',
  'lane-several-documents': 'Keep one YAML document in a lane file.',
  'lane-duplicate-key': 'Keep one of the two keys.',
  'lane-alias': 'Write the value out: anchors, aliases and merge keys are not allowed in a lane.',
  'lane-tag': 'Remove the tag; lanes hold plain values.',
  'lane-unknown-field': 'Remove the field, or correct its name.',
  'lane-missing-field': 'Add the field.',
  'lane-type': 'Give a value of the type shown.',
  'lane-value': 'Give one of the values that are allowed.',
  'lane-format': 'Write the value in the form shown.',
  'lane-range': 'Give a number within the limits shown.',
  'lane-list': 'Correct the list: its length, or an item that stands twice.',
  'lane-key': 'Rename the key.',
  'lane-character': 'Remove the control character, or the half of a surrogate pair.',
  'lane-version-mismatch': 'Let the file name and the field "version" agree.',
  'lane-rule': 'Let the fields agree, as the message says.',
  'lane-path-conflict': 'Give every rendered file a path of its own.',
  'lane-environment': 'Correct the variable in deployment.manager.',
  'lane-unknown-setting': 'Correct the name, or ignore this if your own code reads it.',
  'lane-secret': 'Put the value in a Secret and refer to it in deployment.manager.secretEnv.',
  'lane-conflict': 'Give each lane paths and names of its own.',
  'lane-exists': 'Choose another version, or edit the lane that exists.',
  // The environment of the manager
  'environment-invalid': 'Correct the variable; the rendered lane is where its value comes from.',
  'environment-missing': 'Set the variable; the rendered lane sets it.',
  // Artifacts and commits
  'artifact-missing':
    'Give one of --artifact FILE, --artifact branch, --image-digest with --env-identity, or --placeholder.',
  'artifact-invalid': 'Correct the record or the catalog at the place shown.',
  'artifact-mismatch': 'Use the artifact that was built for this lane and commit.',
  'source-commit-missing': 'Give --source-commit with the 40 hex digits of the commit that the manager shall boot.',
  'source-commit-invalid': 'Give the full commit id: 40 lower-case hex digits.',
  'repository-dirty': 'Commit the change, or pass --allow-dirty.',
  'repository-missing': 'Run inside the git repository that holds the lane, or pass --source-commit.',
  // The output
  'output-schema': 'Correct the lane field that is named; if none is, this is a fault of AgentRun: report it.',
  'output-no-schema': 'Render only kinds that AgentRun knows; report the kind that is missing.',
  'output-duplicate-object': 'Give each object a name of its own.',
  'output-path': 'Use a relative path inside the output, without "." and ".." segments.',
  'output-path-conflict': 'Give each file a path of its own; case and Unicode form do not make paths differ.',
  'output-reference': 'Render the object that is referred to, or declare it as a prerequisite.',
  'output-service': 'Let the Service select a pod, and name a port that this pod has.',
  'output-selector': 'Let the labels of the pod template contain the selector.',
  'output-image': 'Give the image by digest.',
  'output-project': 'Let the AppProject permit what the Application deploys.',
  'output-namespace': 'Keep the object in a namespace that this lane renders.',
  'output-pipeline': 'Correct the Pipeline: its params, workspaces, results or order.',
  'output-pod-security': 'Let the pod satisfy the level that its namespace enforces.',
  'output-kustomization': 'Let the kustomization list exactly the rendered files.',
  'output-secret': 'Put the secret in a Secret of the cluster and refer to it.',
  'output-text': 'Remove the control character from the value.',
  'output-directory': 'Name an empty or new directory, or one that AgentRun wrote.',
  'output-write': 'Look at the cause; the former output is unchanged.',
  // The GitOps branch
  'lane-repository-unknown': 'Give --lane-repository with the URL of the repository that holds the lane.',
  'remote-invalid':
    'Give the remote as a path, or as an http, https, ssh or git URL without a password, of a repository that hashes with SHA-1.',
  'remote-unreachable': 'Look at the address, the network and the host key; nothing was pushed.',
  'remote-not-found': 'Create the repository, or correct its address; nothing was pushed.',
  'remote-auth': 'Give git a key or a credential that may do this; nothing was pushed.',
  'branch-protected': 'Let the account push to the branch, or publish to another one and merge.',
  'push-refused': 'Look at what the server says; the branch is as it was.',
  'push-timeout': 'Try again: other publishers kept the branch busy.',
  'git-failed': 'Look at what git says; the branch is as it was.',
  'source-diverged': 'Publish from a descendant of the commit that is on the branch, or pass --allow-older.',
  'branch-inventory': 'Restore the inventory on the branch from its history, or remove it and publish with --force.',
  'path-owned-by-lane': 'Give the lanes paths of their own.',
  'path-foreign': 'Move the file away, or pass --force to overwrite it.',
  'path-edited': 'Take the edit over into the lane, or pass --force to overwrite it.',
  'path-collision': 'Rename one of the two files.',
  'last-lane': 'Pass --force to remove the last lane of the branch.',
  'lane-not-published': 'Publish the lane first, or name another branch.',
  'signing-failed': 'Look at the signing key; nothing was pushed, and no unsigned commit was made.',
  'note-not-pushed': 'Publish again to write the note; the files are on the branch.',
  'example-image': 'Put the image that your registry holds into ci.toolsImage.',
  // What verify finds on the branch
  'branch-edited': 'Take the edit over into the lane and publish, or publish with --force.',
  'branch-missing': 'Publish the lane again.',
  'branch-unknown-file': 'Remove the file from the branch, or render it.',
  'branch-stale': 'Publish the lane.',
  'renderer-differs': 'Verify with the version of AgentRun that published, or publish again.',
  'provenance-missing': 'Publish the lane: no commit of the branch says where its files come from.',
  'signature-missing': 'Publish with --sign, or trust the key that signed.',
  // Proof and command line
  'not-deterministic': 'Report this: the renderer used a clock, a random number, a locale or the environment.',
  'template-invalid': 'Correct the template.',
  usage: 'See agentrun --help.',
  internal: 'This is a fault of AgentRun: report it with the command that you ran.',
} as const;

/** One of the codes of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** One thing that is wrong, at one place. Lines and columns count from 1; `endColumn` is exclusive. */
export interface Problem {
  readonly code: ErrorCode;
  /** A warning stops nothing. */
  readonly severity: 'error' | 'warning';
  /** One or two sentences: the object, the value received, what is allowed. Never a secret. */
  readonly message: string;
  /** The lane file, or the rendered file where no lane field is the cause. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  /** Dotted path of the lane field, for example `deployment.runner.idleTimeoutMs`. */
  readonly lanePath?: string;
  /** The rendered object, as `Kind/name`. */
  readonly object?: string;
  /** JSON pointer within the rendered object. */
  readonly pointer?: string;
  /** The next step, where one is known that is better than the one of the code. */
  readonly hint?: string;
  /** The lines of the file around the place, with a marker; secrets masked. */
  readonly frame?: string;
}

/** An error for people: a code, the problems in order of their place, and the next step. */
export class AgentRunError extends Error {
  /** What went wrong; of several problems, the code of the first. */
  readonly code: ErrorCode;
  /** Never empty. */
  readonly problems: readonly Problem[];
  /** The next step. */
  readonly hint: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { problems?: readonly Problem[]; hint?: string; cause?: unknown } = {},
  ) {
    // A message may quote what somebody gave, and that may be a secret.
    const shown = maskSecrets(message);
    super(shown, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'AgentRunError';
    this.code = code;
    this.problems = options.problems ?? [
      { code, severity: 'error', message: shown, ...(options.hint === undefined ? {} : { hint: options.hint }) },
    ];
    this.hint = options.hint ?? ERROR_CODES[code];
  }
}

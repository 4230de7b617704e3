/** The parts of Tekton's Pipeline that are rendered, as closed types. */
interface Named {
  readonly name: string;
}

export interface PipelineParam extends Named {
  readonly type: 'string';
  readonly description?: string;
  readonly default?: string;
}

export interface PipelineStep extends Named {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly computeResources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: false;
    readonly runAsNonRoot: true;
    readonly runAsUser: number;
    readonly capabilities: { readonly drop: readonly ['ALL'] };
    readonly seccompProfile: { readonly type: 'RuntimeDefault' };
  };
  readonly script: string;
}

/** A workspace of a task, which is the Pipeline's of the same name. */
interface TaskWorkspace extends Named {
  readonly optional?: true;
  readonly readOnly?: true;
}

interface TaskResult extends Named {
  readonly description: string;
}

export interface PipelineTask extends Named {
  readonly runAfter?: readonly string[];
  readonly timeout: string;
  readonly params: readonly { readonly name: string; readonly value: string }[];
  readonly workspaces: readonly { readonly name: string; readonly workspace: string }[];
  readonly taskSpec: {
    readonly params: readonly Named[];
    readonly workspaces: readonly TaskWorkspace[];
    readonly results?: readonly TaskResult[];
    readonly steps: readonly PipelineStep[];
  };
}

interface TaskOptions extends Named {
  readonly runAfter?: readonly string[];
  /** Params of the Pipeline that the task takes over under their own names. */
  readonly params: readonly string[];
  readonly workspaces: readonly TaskWorkspace[];
  readonly results?: readonly TaskResult[];
  readonly steps: readonly PipelineStep[];
}

/** A task written out in the Pipeline. */
export const pipelineTask = ({ name, runAfter, params, workspaces, results, steps }: TaskOptions): PipelineTask => ({
  name,
  ...(runAfter === undefined ? {} : { runAfter }),
  timeout: '15m0s',
  params: params.map((param) => ({ name: param, value: `$(params.${param})` })),
  workspaces: workspaces.map((workspace) => ({ name: workspace.name, workspace: workspace.name })),
  taskSpec: {
    params: params.map((param) => ({ name: param })),
    workspaces,
    ...(results === undefined ? {} : { results }),
    steps,
  },
});

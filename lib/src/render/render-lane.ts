import { defaultLaneFile, type ServiceRecord } from '../artifacts/artifact.ts';
import { assertArtifact, assertCommit } from '../artifacts/artifact-rules.ts';
import { artifactCatalog } from '../artifacts/catalog.ts';
import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import { applicationPath, projectPath, runtimeDirectory } from '../lane/rendered-paths.ts';
import { controlPlaneObjects } from '../manifests/control-plane.ts';
import type { KubernetesObject } from '../manifests/kubernetes-object.ts';
import { type RuntimeFile, runtimeFiles } from '../manifests/runtime-files.ts';
import { builtInTemplates, type TemplateSet } from '../manifests/template-set.ts';
import { filesDigest, objectsDigest } from './digest.ts';
import { sourceRecord } from './source-record.ts';
import { yamlFile } from './yaml-file.ts';

/** One rendered file; `path` is relative to the root of the GitOps branch. Those of YAML are frozen, with their objects. */
export interface RenderedFile {
  readonly path: string;
  /** UTF-8 text with LF line ends and a final newline. */
  readonly content: string;
  /** The objects of a YAML file, in document order; empty for JSON files. */
  readonly objects: readonly KubernetesObject[];
}

/** What a lane is rendered with. */
export interface RenderInput {
  /** The commit that the manager boots: 40 lower-case hex digits. */
  readonly sourceCommit: string;
  /** The environment image: `placeholderArtifact`, `imageArtifact`, or a record read from a catalog. */
  readonly artifact: ServiceRecord;
  /** Path of the lane file in its repository; default `lanes/<version>.yaml`. */
  readonly laneFile?: string;
  /** The scripts that manifests embed; default those of this version of the library. */
  readonly templates?: TemplateSet;
}

/** A rendered lane: the files of the GitOps branch, and the control plane that an operator applies once. */
export interface RenderedLane {
  readonly lane: Lane;
  /** What it was rendered with, defaults filled in. */
  readonly input: Required<RenderInput>;
  /** The files of the GitOps branch, in the order of the contract. */
  readonly files: readonly RenderedFile[];
  /** What an operator applies; no part of the branch. */
  readonly controlPlane: RenderedFile;
  /** Digest of `files`: see `filesDigest`. */
  readonly filesDigest: string;
  /** Digest of the objects of the control plane: see `objectsDigest`. */
  readonly objectsDigest: string;
}

/** Name of the control plane's file; it is no part of the GitOps branch. */
export const CONTROL_PLANE_FILE = 'control-plane.yaml';

/** The image of the manager's pods and of the runners. */
export const runtimeImage = (artifact: ServiceRecord): string =>
  artifact.envRepositoryDigest || artifact.repositoryDigest;

/** The objects of the control plane: a function of the lane alone. */
export function renderControlPlane(lane: Lane, templates: TemplateSet = builtInTemplates): RenderedFile {
  return yamlFile(CONTROL_PLANE_FILE, controlPlaneObjects(lane, templates));
}

/** The files of the GitOps branch, in the order of the contract. */
export function renderGitopsFiles(
  lane: Lane,
  input: RenderInput,
  controlPlane = renderControlPlane(lane, input.templates),
): RenderedFile[] {
  const { sourceCommit, artifact, laneFile = defaultLaneFile(lane) } = input;
  const argo = (kind: string) => controlPlane.objects.filter((object) => object.kind === kind);
  const runtime = runtimeFiles(lane, {
    sourceCommit,
    envIdentity: artifact.envIdentity,
    image: runtimeImage(artifact),
  });
  return [
    jsonFile(lane.gitops.sourceFile, sourceRecord(lane, sourceCommit, laneFile)),
    jsonFile(lane.deployment.artifactCatalogPath, artifactCatalog(lane, sourceCommit, [artifact])),
    yamlFile(projectPath(lane), argo('AppProject')),
    yamlFile(applicationPath(lane), argo('Application')),
    ...runtime.map(({ name, objects }: RuntimeFile) => yamlFile(`${runtimeDirectory(lane)}/${name}`, objects)),
  ];
}

/**
 * Renders a lane: a pure function of its arguments, byte-identical on every run and machine.
 * What it returns is unchecked: see `checkRendered`.
 *
 * @throws AgentRunError `lane-type` for what is no lane, `source-commit-invalid`, `artifact-invalid` or `artifact-mismatch` for a bad input, and
 *   `output-text` for a text that YAML cannot carry.
 */
export function renderLane(lane: Lane, input: RenderInput): RenderedLane {
  assertLane(lane);
  assertCommit(input.sourceCommit);
  assertArtifact(input.sourceCommit, input.artifact);
  const full = { templates: builtInTemplates, laneFile: defaultLaneFile(lane), ...input };
  const controlPlane = renderControlPlane(lane, full.templates);
  const files = renderGitopsFiles(lane, full, controlPlane);
  return {
    lane,
    input: full,
    files,
    controlPlane,
    filesDigest: filesDigest(files),
    objectsDigest: objectsDigest(controlPlane.objects),
  };
}

/** The likely slip: `loadLane` gives the lane in a field. */
function assertLane(lane: Partial<Lane> | undefined): void {
  if (typeof lane?.version === 'string' && lane.deployment !== undefined) return;
  throw new AgentRunError(
    'lane-type',
    'what shall be rendered is no lane; pass the field "lane" of what loadLane gives',
  );
}

const jsonFile = (path: string, value: object): RenderedFile => ({
  path,
  content: `${JSON.stringify(value, null, 2)}\n`,
  objects: [],
});

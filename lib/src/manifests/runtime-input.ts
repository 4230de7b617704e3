/** What the runtime manifests need beside the lane. */
export interface RuntimeInput {
  /** The commit that the manager boots: 40 lower-case hex digits. */
  readonly sourceCommit: string;
  /** Identity of the environment image. */
  readonly envIdentity: string;
  /** The environment image, by digest. */
  readonly image: string;
}

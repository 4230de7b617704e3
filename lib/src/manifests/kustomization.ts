/** The kustomization of the runtime directory: it lists the files that lie beside it, in order. */
export interface Kustomization {
  readonly apiVersion: 'kustomize.config.k8s.io/v1beta1';
  readonly kind: 'Kustomization';
  readonly resources: readonly string[];
}

/** Not an object of the cluster, so without metadata, which cdk8s would add. */
export const kustomization = (resources: readonly string[]): Kustomization => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources: [...resources],
});

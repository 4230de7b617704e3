import { ApiObject, App, Chart, NumberStringUnionResolver } from 'cdk8s';
import type { KubernetesObject } from './kubernetes-object.ts';

/**
 * Runs builders in a fresh cdk8s App and returns their objects as plain JSON, in the order of their making.
 *
 * One App a call: an App with many charts resolves all of them again for each. Both options are given, because the
 * App would otherwise ask the environment for them.
 */
export function synthesize(build: (scope: Chart) => void): KubernetesObject[] {
  const app = new App({ outdir: 'dist', recordConstructMetadata: false });
  // Builders give plain data and the unions of cdk8s-plus: nothing is lazy, and to ask each value costs time.
  app.resolvers.splice(0, app.resolvers.length, new NumberStringUnionResolver());
  const chart = new Chart(app, 'lane', { disableResourceNameHashes: true });
  build(chart);
  return chart.node.children
    .filter((child) => ApiObject.isApiObject(child))
    .map((object) => object.toJson() as KubernetesObject);
}

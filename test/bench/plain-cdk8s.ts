/**
 * What cdk8s alone takes for the objects of many lanes: an App and a Chart a lane, the objects as JSON, and as YAML.
 * Nothing is loaded, checked or hashed. Prints the seconds that it took.
 */
import { readFileSync } from 'node:fs';
import { ApiObject, type ApiObjectProps, App, Chart, Yaml } from 'cdk8s';

const [objectsFile = '', lanes = ''] = process.argv.slice(2);
const objects = JSON.parse(readFileSync(objectsFile, 'utf8')) as ApiObjectProps[];
let size = 0;
const before = performance.now();
for (let lane = 0; lane < Number(lanes); lane += 1) {
  const chart = new Chart(new App(), `lane-${lane}`, { disableResourceNameHashes: true });
  for (const [at, object] of objects.entries()) new ApiObject(chart, `object-${at}`, object);
  size += Yaml.stringify(...(chart.toJson() as unknown[])).length;
}
const seconds = (performance.now() - before) / 1000;
if (size === 0) throw new Error('there was nothing to make');
process.stdout.write(JSON.stringify({ seconds }));

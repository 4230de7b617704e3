import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/**
 * The licence texts of the packages that went into a bundle, each under its name and version, sorted. `inputs` are the
 * paths of the bundled files, relative to `folder`. A package without a licence text stops the build.
 *
 * @param {readonly string[]} inputs
 * @param {string} folder
 */
export async function licenceTexts(inputs, folder) {
  const packages = new Set();
  for (const input of inputs) {
    const at = input.lastIndexOf('node_modules/');
    // Modules that a plugin makes up stand for files that are inputs themselves.
    if (at === -1 || /^[a-z-]+:/.test(input)) continue;
    const depth = input.startsWith('@', at + 'node_modules/'.length) ? 3 : 2;
    packages.add(resolve(folder, `${input.slice(0, at)}${input.slice(at).split('/').slice(0, depth).join('/')}`));
  }
  const texts = new Map();
  for (const path of packages) {
    const { name, version, license } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
    const files = (await readdir(path)).filter((file) => /^(?:licen[cs]e|notice|copying)(?:[.-]|$)/i.test(file)).sort();
    if (!files.some((file) => /^(?:licen[cs]e|copying)/i.test(file)))
      throw new Error(`${name} in ${dirname(path)} has no licence text`);
    const text = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')));
    texts.set(
      `${name} ${version}`,
      `${name} ${version} (${license})\n\n${text.map((one) => one.trim()).join('\n\n')}\n`,
    );
  }
  const titles = [...texts.keys()].sort((a, b) => (a < b ? -1 : 1));
  return titles.map((title) => texts.get(title)).join(`\n${'-'.repeat(80)}\n\n`);
}

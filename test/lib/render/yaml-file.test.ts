import { describe, expect, it } from 'vitest';
import { placeholderArtifact } from '../../../lib/src/artifacts/artifact.ts';
import { checkSecrets } from '../../../lib/src/check/secret-gate.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { isAsWritten } from '../../../lib/src/render/yaml-file.ts';
import { contractLane } from '../../helpers/contract-lane.ts';
import { opaqueSecrets } from '../../helpers/planted-secrets.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const lane = contractLane();
const { files, controlPlane } = renderLane(lane, {
  sourceCommit: COMMIT,
  artifact: placeholderArtifact(lane, COMMIT),
});
const yamlFiles = [...files, controlPlane].filter(({ objects }) => objects.length > 0);

/** Every object and list in a value, and the value itself. */
function partsOf(value: object): object[] {
  const children = Object.values(value).filter((child) => typeof child === 'object' && child !== null);
  return [value, ...children.flatMap((child) => partsOf(child))];
}

describe('a rendered file of YAML', () => {
  it('is frozen to its last part, so that its text stays what was made of its objects', () => {
    expect(yamlFiles.length).toBeGreaterThan(5);
    for (const file of yamlFiles) {
      expect(isAsWritten(file), file.path).toBe(true);
      expect(
        partsOf(file).filter((part) => !Object.isFrozen(part)),
        file.path,
      ).toEqual([]);
    }
  });

  it('whose text is another one in a copy is looked through again', () => {
    const [secret = ''] = opaqueSecrets(1);
    for (const file of yamlFiles) {
      const copy = { ...file, content: `${file.content}# password: "${secret}"\n` };
      expect(isAsWritten(copy), file.path).toBe(false);
      expect(checkSecrets([copy]).length, file.path).toBeGreaterThan(0);
    }
  });
});

import {expect, it} from 'vitest';
import {judgeAnswer} from '../../../src/domain/pki/answer.js';
import type {CertificateTemplate} from '../../../src/domain/pki/certificate.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

/** So many CAs, each below the one before it. */
async function tower(height: number): Promise<readonly TinyCa[]> {
  const change = (template: CertificateTemplate): CertificateTemplate => ({
    ...template,
    extensions: {...template.extensions, basicConstraints: {ca: true}},
  });
  const cas = [await tinyRoot()];
  for (let level = 1; level < height; level++) {
    const below = cas.at(-1);
    if (below) cas.push(await tinyClusterCa(below, `level${String(level)}`, {change}));
  }
  return cas;
}

it.each([
  [10, 'accepted'],
  [32, 'accepted'],
  [40, 'refused'],
])('of %i CAs above one another is %s: no input makes it climb without end', async (height, kind) => {
  const [root, ...others] = await tower(height);
  const certificates = others.map(({certificate}) => certificate);
  const last = certificates.at(-1);
  if (!root || !last) throw new Error('a tower has two ends');
  const answer = judgeAnswer({
    ...{cluster: 'c1', keys: [last.spki], certificates, known: [], roots: [root.certificate], others: new Map()},
    ...{now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(answer.kind).toBe(kind);
  if (answer.kind === 'refused') expect(answer.refusals[0]?.id).toBe('missing-issuer');
  else expect(answer.chain).toHaveLength(height);
});

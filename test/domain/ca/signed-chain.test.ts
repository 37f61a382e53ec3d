import {expect, it} from 'vitest';
import {validateSignedChain} from '../../../src/domain/ca/signed-chain.js';
import {type CertificateTemplate, keyIdentifier} from '../../../src/domain/x509/certificate.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {asJson} from '../../helpers/suggestions.js';

/** Lets a CA have others below it. */
const change = (template: CertificateTemplate): CertificateTemplate => ({
  ...template,
  extensions: {...template.extensions, basicConstraints: {ca: true}},
});

/** So many CAs, each below the one before it. */
async function tower(height: number): Promise<readonly TinyCa[]> {
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
  const answer = validateSignedChain({
    ...{cluster: 'c1', keys: [last.spki], certificates, known: [], roots: [root.certificate], others: new Map()},
    ...{now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(answer.kind).toBe(kind);
  if (answer.kind === 'refused') expect(answer.refusals[0]?.id).toBe('missing-issuer');
  else expect(answer.chain).toHaveLength(height);
});

it('does not try every way up where each CA has many certificates of the same name and key', async () => {
  const cas = await tower(10);
  const [root] = cas;
  const last = cas.at(-1);
  if (!root || !last) throw new Error('a tower has two ends');
  const others = cas.slice(1, -1).flatMap((ca, index) => {
    const issuer = cas[index];
    if (!issuer) throw new Error('each CA has one above it');
    const {publicKey} = ca.signer;
    const same = (template: CertificateTemplate): CertificateTemplate => {
      const extensions = {...template.extensions, subjectKeyId: keyIdentifier(publicKey)};
      return change({...template, publicKey, extensions});
    };
    return Array.from({length: 7}, () => tinyClusterCa(issuer, `level${String(index + 1)}`, {change: same}));
  });
  const certificates = [last, ...(await Promise.all(others))].map(({certificate}) => certificate);
  // 7 to the power of 8 chains: judging all of them would take longer than a test may.
  const answer = validateSignedChain({
    ...{cluster: 'c1', keys: [last.certificate.spki], certificates, known: [], roots: [root.certificate]},
    ...{others: new Map(), now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(answer).toMatchObject({kind: 'accepted', newRoot: false});
  if (answer.kind === 'accepted') expect(answer.chain).toHaveLength(10);
});

it.each([
  ['without any key, an answer is refused with the hint to make a request', [], 'kubectl mesh certs request c1'],
  [
    'with a key, an answer to another one is refused with the hint at the request that is there',
    ['00'],
    'c1/request/ca.csr',
  ],
])('%s', async (_behaviour, keys, hint) => {
  const [root, ca] = await tower(2);
  if (!root || !ca) throw new Error('a tower has two ends');
  const answer = validateSignedChain({
    ...{cluster: 'c1', keys, certificates: [ca.certificate], known: [], roots: [root.certificate]},
    ...{others: new Map(), now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(asJson(answer)).toMatchObject({
    ...{kind: 'refused', refusals: [{id: 'other-key', hint: expect.stringContaining(hint) as string}]},
  });
});

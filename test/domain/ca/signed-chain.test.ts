import {expect, it} from 'vitest';
import {validateSignedChain} from '../../../src/domain/ca/signed-chain.js';
import {type CertificateTemplate, keyIdentifier} from '../../../src/domain/x509/certificate.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {asJson} from '../../helpers/suggestions.js';

/** Allows other CAs below a CA. */
const change = (template: CertificateTemplate): CertificateTemplate => ({
  ...template,
  extensions: {...template.extensions, basicConstraints: {ca: true}},
});

/** A hierarchy of this many CAs, each below the previous one. */
async function hierarchy(height: number): Promise<readonly TinyCa[]> {
  const cas = [await tinyRoot()];
  for (let level = 1; level < height; level++) {
    const issuer = cas.at(-1);
    if (issuer) cas.push(await tinyClusterCa(issuer, `level${String(level)}`, {change}));
  }
  return cas;
}

it.each([
  [10, 'accepted'],
  [32, 'accepted'],
  [40, 'refused'],
])('a hierarchy of %i CAs is %s: the search is limited in depth', async (height, kind) => {
  const [root, ...others] = await hierarchy(height);
  const certificates = others.map(({certificate}) => certificate);
  const last = certificates.at(-1);
  if (!root || !last) throw new Error('the hierarchy is empty');
  const result = validateSignedChain({
    ...{cluster: 'c1', keys: [last.spki], certificates, known: [], roots: [root.certificate], keyOwners: new Map()},
    ...{now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(result.kind).toBe(kind);
  if (result.kind === 'refused') expect(result.refusals[0]?.id).toBe('missing-issuer');
  else expect(result.chain).toHaveLength(height);
});

it('does not try every chain if each CA has many certificates with the same name and key', async () => {
  const cas = await hierarchy(10);
  const [root] = cas;
  const last = cas.at(-1);
  if (!root || !last) throw new Error('the hierarchy is empty');
  const others = cas.slice(1, -1).flatMap((ca, index) => {
    const issuer = cas[index];
    if (!issuer) throw new Error('the CA has no issuer');
    const {publicKey} = ca.signer;
    const same = (template: CertificateTemplate): CertificateTemplate => {
      const extensions = {...template.extensions, subjectKeyId: keyIdentifier(publicKey)};
      return change({...template, publicKey, extensions});
    };
    return Array.from({length: 7}, () => tinyClusterCa(issuer, `level${String(index + 1)}`, {change: same}));
  });
  const certificates = [last, ...(await Promise.all(others))].map(({certificate}) => certificate);
  // There are 7^8 chains: validating all of them would exceed the test timeout.
  const result = validateSignedChain({
    ...{cluster: 'c1', keys: [last.certificate.spki], certificates, known: [], roots: [root.certificate]},
    ...{keyOwners: new Map(), now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(result).toMatchObject({kind: 'accepted', newRoot: false});
  if (result.kind === 'accepted') expect(result.chain).toHaveLength(10);
});

it.each([
  ['without a key, certificates are refused with the hint to create a request', [], 'kubectl mesh certs request c1'],
  [
    'with a key, certificates for another one are refused with a hint at the existing request',
    ['00'],
    'c1/request/ca.csr',
  ],
])('%s', async (_behaviour, keys, hint) => {
  const [root, ca] = await hierarchy(2);
  if (!root || !ca) throw new Error('the hierarchy is empty');
  const result = validateSignedChain({
    ...{cluster: 'c1', keys, certificates: [ca.certificate], known: [], roots: [root.certificate]},
    ...{keyOwners: new Map(), now: new Date(), trustDomain: 'cluster.local', servingNames: []},
  });
  expect(asJson(result)).toMatchObject({
    ...{kind: 'refused', refusals: [{id: 'other-key', hint: expect.stringContaining(hint) as string}]},
  });
});

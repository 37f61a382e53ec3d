/** Hierarchies from openssl with CAs between the root and the cluster CA. */
import {X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, it} from 'vitest';
import {clusterCaFacts} from '../../../src/domain/facts/read/cluster-ca.js';
import {parseCertificate} from '../../../src/domain/x509/certificate.js';
import {inspectCaFiles} from '../../../src/domain/ca/inspect-ca.js';
import {clusterCaTemplate} from '../../../src/domain/x509/profile.js';
import {openssl, temporaryFiles} from '../../helpers/openssl.js';
import {CorporateCa, foreignRequest, policy as policyExtensions} from '../../helpers/corporate-ca.js';

/** A minute ahead, because openssl's certificates start at the current second. */
const now = new Date(Date.now() + 60_000);
const read = (pem: string) => parseCertificate(new X509Certificate(pem).raw, 'test');

let root: CorporateCa;
/** Regional CA, policy CA, root. */
let above: readonly CorporateCa[];
beforeAll(() => {
  root = CorporateCa.root();
  const policy = root.below('/CN=Policy CA');
  above = [policy.below('/CN=Regional CA'), policy, root];
});

/** The files of a cluster CA below the first CA of a chain. */
function files(chain: readonly CorporateCa[]) {
  const caCert = chain[0]?.sign(foreignRequest('/O=Istio/CN=Intermediate CA/L=c1')) ?? '';
  return {caCert, rootCert: root.pem, certChain: caCert + chain.map(({pem}) => pem).join('')};
}

describe.each([2, 3, 4])('a hierarchy of depth %i', (depth) => {
  it('is accepted, and its facts list every intermediate CA', () => {
    const caFiles = files(above.slice(4 - depth));
    const inspection = inspectCaFiles(caFiles, {now, keyMayBeMissing: true});
    expect(inspection.findings).toEqual([]);
    const facts = clusterCaFacts(caFiles, inspection);
    expect((facts.between ?? []).map(({subject}) => subject)).toEqual(
      ['CN=Regional CA', 'CN=Policy CA'].slice(4 - depth),
    );
    expect(facts.anchor).toBe(read(root.pem).fingerprint);
  });
});

it('shows an expired intermediate CA', () => {
  const policy = root.below('/CN=Old Policy CA', {start: '20200101000000Z', end: '20210101000000Z'});
  const caFiles = files([policy, root]);
  const facts = clusterCaFacts(caFiles, inspectCaFiles(caFiles, {now, keyMayBeMissing: true}));
  expect(facts.between?.map(({subject}) => subject)).toEqual(['CN=Old Policy CA']);
});

it('requires every intermediate CA in cert-chain.pem', () => {
  const {certChain, ...rest} = files(above);
  const [, policy] = above;
  const incomplete = certChain.replace(policy?.pem ?? '', '');
  const inspection = inspectCaFiles({...rest, certChain: incomplete}, {now, keyMayBeMissing: true});
  expect(inspection.findings.map(({id}) => id)).toContain('not-trusted');
});

it('limits the validity of a new cluster CA by that of all CAs above it', () => {
  const short = CorporateCa.root('/CN=Short Root', {
    end: new Date(now.getTime() + 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, ''),
  });
  const policy = short.below('/CN=Long Policy CA');
  const [issuer, top] = [read(policy.pem), read(short.pem)];
  const template = clusterCaTemplate({
    ...{publicKey: issuer.publicKey, cluster: 'c1', validityDays: 730, now, serial: Buffer.from([1])},
    ...{issuer, above: [top]},
  });
  expect(template.notAfter).toEqual(top.notAfter);
});

it.each([
  ['SHA-224', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], {digest: 'sha224'}],
  [
    'RSASSA-PSS over SHA-1',
    ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    {digest: 'sha1', signature: ['rsa_padding_mode:pss']},
  ],
])('does not trust a CA that is signed with %s, like Go', (_, key, how) => {
  const policy = root.below('/CN=Policy CA', {key});
  const caCert = policy.sign(foreignRequest('/O=Istio/CN=Intermediate CA/L=c1'), how);
  const caFiles = {caCert, rootCert: root.pem, certChain: caCert + policy.pem + root.pem};
  const {findings, loads} = inspectCaFiles(caFiles, {now, keyMayBeMissing: true});
  expect([loads, findings.map(({id}) => id)]).toEqual([false, ['not-trusted']]);
});

it('forbids workloads if name constraints permit only the parent of the trust domain: in proxies a URI matches one host', () => {
  const permit = (uri: string) => [...policyExtensions, `nameConstraints=critical,permitted;URI:${uri}`];
  const ids = (uri: string) =>
    inspectCaFiles(files([root.below('/CN=P', {extensions: permit(uri)}), root]), {
      ...{now, keyMayBeMissing: true, trustDomain: 'mesh.example.com'},
    }).findings.map(({id}) => id);
  expect(['example.com', '.example.com', 'mesh.example.com', 'MESH.example.com'].map(ids)).toEqual([
    ['name-constraints'],
    [],
    [],
    [],
  ]);
});

it.each([
  ['anyExtendedKeyUsage', ['no-client-auth']],
  ['serverAuth,anyExtendedKeyUsage', ['no-client-auth']],
  ['serverAuth,clientAuth,anyExtendedKeyUsage', []],
])('judges a policy CA with the extended key usage %s like proxies and openssl', (usage, expected) => {
  const extensions = [...policyExtensions, `extendedKeyUsage=${usage}`];
  const caFiles = files([root.below('/CN=P', {extensions}), root]);
  expect(inspectCaFiles(caFiles, {now, keyMayBeMissing: true}).findings.map(({id}) => id)).toEqual(expected);
  const file = temporaryFiles({'ca.pem': caFiles.caCert, 'chain.pem': caFiles.certChain});
  const verify = () =>
    openssl([
      ...['verify', '-purpose', 'sslclient', '-CAfile', root.certificatePath],
      ...['-untrusted', file('chain.pem'), file('ca.pem')],
    ]);
  if (expected.length === 0) expect(verify()).toContain('OK');
  else expect(verify).toThrow(/unsuitable certificate purpose/);
});

it.each([
  ['permitted', 'O=Example AG', ['subject-names']],
  ['permitted', 'L=c1', []],
  ['permitted', 'L=C1', []],
  ['permitted', 'L=c', ['subject-names']],
  ['excluded', 'L=c1', ['subject-names']],
  ['excluded', 'O=Example AG', []],
  // Names are compared from the start; in this CA's certificates L comes first.
  ['excluded', 'O=Istio', []],
])('applies directory name constraints like openssl: %s %s', (list, name, expected) => {
  const extensions = [...policyExtensions, `nameConstraints=${list};dirName:dn`, '[dn]', name];
  const caFiles = files([root.below('/CN=P', {extensions}), root]);
  expect(inspectCaFiles(caFiles, {now, keyMayBeMissing: true}).findings.map(({id}) => id)).toEqual(expected);
  const file = temporaryFiles({'ca.pem': caFiles.caCert, 'chain.pem': caFiles.certChain});
  const verify = () =>
    openssl(['verify', '-CAfile', root.certificatePath, '-untrusted', file('chain.pem'), file('ca.pem')]);
  if (expected.length === 0) expect(verify()).toContain('OK');
  else expect(verify).toThrow(/subtree violation/);
});

import {generateKeyPairSync} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {type ErrorCode, MeshError} from '../../../src/domain/errors.js';
import type {ControlPlaneFacts} from '../../../src/domain/facts/facts.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import {known, unknown} from '../../../src/domain/observed.js';
import type {CaFiles} from '../../../src/domain/ca/ca-files.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {readCacerts} from '../../../src/domain/trust/cacerts.js';
import type {RunningCluster} from '../../../src/observe/running-cluster.js';
import {adoptAll, clusterNameOf} from '../../../src/operations/certs/plan-adopt.js';
import {
  type Adoption,
  adoptableOf,
  type InspectedContext,
  type ExistingWorkDir,
} from '../../../src/operations/certs/adoption.js';
import {controlPlane, workload} from '../../domain/checks/healthy.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {textsOf} from '../../helpers/trust-mesh.js';
import {certify, meshYaml, now, policyCa, rootFile} from './fixtures.js';

const [root, otherRoot] = await Promise.all([tinyRoot({now, meshID: 'ours'}), tinyRoot({now, meshID: 'other'})]);
const policy = await policyCa(root, 'policy');
const [ca1, ca2, caOfP384, caOfP521, belowPolicy, belowOtherRoot, crossSignedRoot] = await Promise.all([
  tinyClusterCa(root, 'c1', {now}),
  tinyClusterCa(root, 'c2', {now}),
  tinyClusterCa(root, 'c2', {now, algorithm: 'ecdsa-p384'}),
  certify(root, generateKeyPairSync('ec', {namedCurve: 'P-521'}).privateKey, 'c1'),
  tinyClusterCa(policy, 'c1', {now}),
  tinyClusterCa(otherRoot, 'c2', {now}),
  certify(otherRoot, root.key, 'c1'),
]);

type Texts = Readonly<Record<string, string>>;
const rootKey = writePrivateKey(root.key).reveal();

/** Secret cacerts as it is read from a cluster. */
function cacertsOf(
  data: Texts,
  {annotations = {}, owner}: {readonly annotations?: Texts; readonly owner?: {kind: string; name: string}} = {},
): RunningCluster['cacerts'] {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return readCacerts(
    {
      ...{apiVersion: 'v1', kind: 'Secret', type: 'tls.crt' in data ? 'kubernetes.io/tls' : 'Opaque'},
      metadata: {
        ...{name: 'cacerts', namespace: 'istio-system', annotations},
        ...(owner && {ownerReferences: [{...owner, uid: 'u'}]}),
      },
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, encode(text)])),
    },
    {now, keyMayBeMissing: true},
  );
}
const filesOf = (ca: TinyCa, ...above: readonly TinyCa[]): Texts => textsOf(bundleOf(ca, above));
const texts1 = filesOf(ca1, root);
const texts2 = filesOf(ca2, root);
const cacerts1 = cacertsOf(texts1);
const cacerts2 = cacertsOf(texts2);
/** Secret cacerts with these keys instead of the ones that Istio's guide makes for c1. */
const changed = (change: Texts): Pick<RunningCluster, 'cacerts'> => ({cacerts: cacertsOf({...texts1, ...change})});
const without = (...names: readonly string[]): Pick<RunningCluster, 'cacerts'> => ({
  cacerts: cacertsOf(Object.fromEntries(Object.entries(texts1).filter(([name]) => !names.includes(name)))),
});
/** cert-manager's layout of the Secret, in which tls.crt may hold the chain. */
const tls = {
  'tls.crt': texts1['ca-cert.pem'] ?? '',
  'tls.key': texts1['ca-key.pem'] ?? '',
  'ca.crt': root.certificate.pem,
};
const certManager = {annotations: {'cert-manager.io/certificate-name': 'istio-ca'}};

type Running = Partial<RunningCluster> & {readonly istiod?: Partial<ControlPlaneFacts>};

/** A cluster that runs as Istio's guide makes it. */
function running(name: 'c1' | 'c2', {istiod = {}, ...change}: Running = {}): RunningCluster {
  return {
    ...{uid: `uid-${name}`, controlPlanes: [controlPlane(name, istiod)], network: 'network1'},
    cacerts: name === 'c1' ? cacerts1 : cacerts2,
    ...{selfSigned: undefined, bundle: root.certificate.pem},
    ...change,
  };
}
/** The same without some of its fields. */
function omit<T extends object, Field extends keyof T>(object: T, ...fields: readonly Field[]): Omit<T, Field> {
  const kept = Object.entries(object).filter(([field]) => !fields.some((one) => one === field));
  return Object.fromEntries(kept) as Omit<T, Field>;
}
/** A cluster whose control plane leaves a field out that need not be there. */
function silent(name: 'c1' | 'c2', field: 'clusterID' | 'meshID' | 'trustDomain'): Running {
  return {controlPlanes: [omit(controlPlane(name), field)]};
}
/** Its context, looked at. */
function looked(name: 'c1' | 'c2', change: Running = {}, words: Partial<InspectedContext> = {}): InspectedContext {
  return {context: `ctx-${name}`, observed: known(running(name, change)), ...words};
}
const forbidden = unknown(new MeshError('FORBIDDEN', 'a right is missing'));
const env = (values: Texts): Running => ({istiod: {workload: workload('istiod', {env: values})}});
const istioCsr = env({ENABLE_CA_SERVER: 'false'});
const kubernetesSigner = env({
  EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API',
  PILOT_CERT_PROVIDER: 'k8s.io/issuers.example.com/mesh',
});
const selfSigned: Running = {cacerts: 'absent', selfSigned: root.certificate.pem};

/** An empty work directory. */
const empty: ExistingWorkDir = {
  ...{file: undefined, contexts: {}, rootCert: undefined, hasRootKey: false, files: new Map<string, CaFiles>()},
};
const declared = (clusters: string, more = ''): Pick<ExistingWorkDir, 'file'> => ({
  file: parseMeshFile(`apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${more}clusters: ${clusters}\n`),
});
const holding = (name: string, files: CaFiles): Pick<ExistingWorkDir, 'files'> => ({files: new Map([[name, files]])});

describe('the name of a cluster', () => {
  const anonymous = (words: Partial<InspectedContext> = {}): InspectedContext =>
    looked('c1', {istiod: {clusterID: 'Kubernetes'}}, words);
  it.each<readonly [behaviour: string, one: InspectedContext, standing: Partial<ExistingWorkDir>, expected: string]>([
    ['is what istiod calls it', looked('c1'), {}, 'c1'],
    ['is what was typed where the name that istiod has is no cluster name', anonymous({givenName: 'west'}), {}, 'west'],
    ['is what mesh.yaml calls the context', anonymous(), declared('[{name: west, context: ctx-c1}]'), 'west'],
    [
      'is what contexts.yaml calls the context, which goes before mesh.yaml',
      anonymous(),
      {
        ...declared('[{name: west, context: ctx-c1}, {name: east, context: ctx}]'),
        contexts: {west: 'mine', east: 'ctx-c1'},
      },
      'east',
    ],
    [
      'is what was typed rather than what mesh.yaml says',
      anonymous({givenName: 'east'}),
      declared('[{name: west, context: ctx-c1}]'),
      'east',
    ],
    ['is that of the context where nothing else gives one', anonymous(), {}, 'ctx-c1'],
    [
      'is that of the context where istiod has no CLUSTER_ID',
      looked('c1', silent('c1', 'clusterID'), {context: 'west'}),
      {},
      'west',
    ],
    [
      'is what was typed where the cluster cannot be read',
      {context: 'ctx-c1', givenName: 'west', observed: forbidden},
      {},
      'west',
    ],
    ['may be typed although istiod says it, too', looked('c1', {}, {givenName: 'c1'}), {}, 'c1'],
  ])('%s', (_behaviour, one, standing, expected) => {
    expect(clusterNameOf(one, {...empty, ...standing})).toBe(expected);
  });

  it.each<readonly [behaviour: string, one: InspectedContext, standing: Partial<ExistingWorkDir>, code: ErrorCode]>([
    ['contradicts istiod where another one was typed', looked('c1', {}, {givenName: 'west'}), {}, 'CONTRADICTION'],
    [
      'contradicts istiod where mesh.yaml calls the context otherwise',
      looked('c1'),
      declared('[{name: west, context: ctx-c1}]'),
      'CONTRADICTION',
    ],
    [
      'must be typed where the name of the context is no cluster name either',
      anonymous({context: 'arn:aws:eks'}),
      {},
      'USAGE',
    ],
  ])('%s', (_behaviour, one, standing, code) => {
    expect(() => clusterNameOf(one, {...empty, ...standing})).toThrow(expect.objectContaining({code}) as Error);
  });
});

interface Change {
  readonly c1?: Running;
  readonly c2?: Running;
  /** Instead of contexts ctx-c1 and ctx-c2. */
  readonly looked?: readonly InspectedContext[];
  readonly standing?: Partial<ExistingWorkDir>;
  readonly withKeys?: boolean;
}

interface Outcome {
  /** Of each context: `c1 cacerts`, where its CA is kept, or `c1: CODE`. */
  readonly clusters: readonly string[];
  /** Paths that are written, besides root-cert.pem of the mesh. */
  readonly files: readonly string[];
  /** Clusters whose CA key is copied. */
  readonly keys: readonly string[];
  /** What becomes root-cert.pem of the mesh. */
  readonly rootCert: unknown;
  /** The cluster of each warning; `mesh`: of all of them. */
  readonly warnings: readonly string[];
}

function decide({c1, c2, looked: all, standing, withKeys = false}: Change): Adoption {
  return adoptAll(all ?? [looked('c1', c1), looked('c2', c2)], {...empty, ...standing}, withKeys);
}

function outcomeOf(change: Change): Outcome {
  const {clusters, rootCert, warnings} = decide(change);
  return {
    clusters: clusters.map((one) => ('error' in one ? `${one.name}: ${one.error.code}` : `${one.name} ${one.keptIn}`)),
    files: adoptableOf(clusters).flatMap(({files}) => files.map(({path}) => path)),
    keys: adoptableOf(clusters).flatMap(({name, copiesKey}) => (copiesKey ? [name] : [])),
    rootCert: rootCert?.content,
    warnings: warnings.map(({cluster = 'mesh'}) => cluster),
  };
}

const filesOf1 = ['c1/ca-cert.pem', 'c1/root-cert.pem', 'c1/cert-chain.pem'];
const filesOf2 = ['c2/ca-cert.pem', 'c2/root-cert.pem', 'c2/cert-chain.pem'];

/** Both clusters are adopted; the warnings say that it does not show who signed their CAs. */
const adopted: Outcome = {
  ...{clusters: ['c1 cacerts', 'c2 cacerts'], files: [...filesOf1, ...filesOf2], keys: []},
  ...{rootCert: root.certificate.pem, warnings: ['c1', 'c2']},
};
const only1 = {files: filesOf1, warnings: ['c1']};
const only2 = {files: filesOf2, warnings: ['c2']};
const none = {files: [], rootCert: undefined, warnings: []};

type Row = readonly [behaviour: string, change: Change, expected: Partial<Outcome>];
const table = (rows: readonly Row[]): void => {
  it.each(rows)('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...adopted, ...expected});
  });
};

it('adopts clusters that run as the guide of Istio makes them', () => {
  expect(outcomeOf({})).toEqual(adopted);
});

describe('a context is refused, and the others are adopted,', () => {
  const noId = silent('c1', 'clusterID');
  table([
    [
      'where it cannot be read',
      {looked: [looked('c1'), {context: 'ctx-c2', observed: forbidden}]},
      {clusters: ['c1 cacerts', 'ctx-c2: FORBIDDEN'], ...only1},
    ],
    [
      'where it cannot be read, under the name that was typed',
      {looked: [{context: 'ctx-c1', givenName: 'c1', observed: forbidden}, looked('c2')]},
      {clusters: ['c1: FORBIDDEN', 'c2 cacerts'], ...only2},
    ],
    [
      'where it cannot be read, whatever other context has its name',
      {looked: [looked('c1'), {context: 'ctx', givenName: 'c1', observed: forbidden}]},
      {clusters: ['c1 cacerts', 'c1: FORBIDDEN'], ...only1},
    ],
    [
      'where nothing gives it a name',
      {looked: [looked('c1', noId, {context: 'arn:aws:eks'}), looked('c2')]},
      {clusters: ['arn:aws:eks: USAGE', 'c2 cacerts'], ...only2},
    ],
    [
      'where istiod has another name than was typed',
      {looked: [looked('c1', {}, {givenName: 'west'}), looked('c2')]},
      {clusters: ['west: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    [
      'where an earlier context gives a cluster of the same name',
      {looked: [looked('c1'), looked('c2', {istiod: {clusterID: 'c1'}})]},
      {clusters: ['c1 cacerts', 'c1: CONTRADICTION'], ...only1},
    ],
    [
      'where the name was taken by two earlier contexts',
      {looked: [looked('c1'), looked('c1', {uid: 'u2'}, {context: 'b'}), looked('c1', {uid: 'u3'}, {context: 'c'})]},
      {clusters: ['c1 cacerts', 'c1: CONTRADICTION', 'c1: CONTRADICTION'], ...only1},
    ],
    [
      'but not where an earlier context of the same name could not be read',
      {looked: [{context: 'ctx', givenName: 'c1', observed: forbidden}, looked('c1')]},
      {clusters: ['c1: FORBIDDEN', 'c1 cacerts'], ...only1},
    ],
    [
      'where two contexts lead to one cluster',
      {looked: [looked('c1', noId, {givenName: 'a'}), looked('c1', noId, {givenName: 'b'}), looked('c2')]},
      {clusters: ['a: UID_MISMATCH', 'b: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where mesh.yaml recorded another UID for it',
      {standing: declared('[{name: c1, uid: uid-before}]')},
      {clusters: ['c1: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where mesh.yaml recorded its UID for another cluster',
      {standing: declared('[{name: west, uid: uid-c1}]')},
      {clusters: ['c1: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where two contexts give its name and mesh.yaml recorded the UID of the first',
      {
        looked: [looked('c1'), looked('c1', {uid: 'uid-other'}, {context: 'b'}), looked('c2')],
        standing: declared('[{name: c1, uid: uid-c1}]'),
      },
      {clusters: ['c1 cacerts', 'c1: UID_MISMATCH', 'c2 cacerts']},
    ],
    [
      'where two contexts give its name and mesh.yaml recorded the UID of the second',
      {
        looked: [looked('c1', {uid: 'uid-other'}, {context: 'b'}), looked('c1'), looked('c2')],
        standing: declared('[{name: c1, uid: uid-c1}]'),
      },
      {clusters: ['c1: UID_MISMATCH', 'c1 cacerts', 'c2 cacerts']},
    ],
    ['but not where mesh.yaml recorded the same UID', {standing: declared('[{name: c1, uid: uid-c1}]')}, {}],
    [
      'where it has another mesh ID',
      {c2: {istiod: {meshID: 'mesh2'}}},
      {clusters: ['c1 cacerts', 'c2: CONTRADICTION'], ...only1},
    ],
    [
      'where it has another mesh ID than mesh.yaml, whatever the first cluster has',
      {c1: {istiod: {meshID: 'mesh2'}}, standing: {file: parseMeshFile(meshYaml())}},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    ['but not where it has no mesh ID', {c2: silent('c2', 'meshID')}, {}],
    ['but not where the first cluster has no mesh ID', {c1: silent('c1', 'meshID')}, {}],
    [
      'where it has another mesh ID than the first cluster that can be adopted',
      {
        looked: [looked('c1', {istiod: {meshID: 'mesh2'}}), looked('c2')],
        standing: declared('[{name: c1, uid: uid-before}]'),
      },
      {clusters: ['c1: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where it has another trust domain',
      {c2: {istiod: {trustDomain: 'example.com'}}},
      {clusters: ['c1 cacerts', 'c2: CONTRADICTION'], ...only1},
    ],
    [
      'where it has another trust domain than the default of a mesh.yaml that names none',
      {c1: {istiod: {trustDomain: 'example.com'}}, standing: declared('[{name: c1}]')},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    [
      'but not where it has the trust domain that mesh.yaml names',
      {
        ...{c1: {istiod: {trustDomain: 'example.com'}}, c2: {istiod: {trustDomain: 'example.com'}}},
        standing: declared('[{name: c1}]', 'trustDomain: example.com\n'),
      },
      {},
    ],
    [
      'but not where all have the same trust domain and there is no mesh.yaml',
      {c1: {istiod: {trustDomain: 'example.com'}}, c2: {istiod: {trustDomain: 'example.com'}}},
      {},
    ],
    [
      'where it has another network than mesh.yaml says',
      {standing: declared('[{name: c1, network: network2}, {name: c2, network: network1}]')},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    ['but not where it has a network of its own', {c2: {network: 'network2'}}, {}],
    ['where it has no CA', {c1: {cacerts: 'absent'}}, {clusters: ['c1: NOT_FOUND', 'c2 cacerts'], ...only2}],
    [
      'and where all are refused, nothing is written',
      {c1: {cacerts: 'absent'}, c2: {cacerts: 'absent'}},
      {clusters: ['c1: NOT_FOUND', 'c2: NOT_FOUND'], ...none},
    ],
  ]);
});

describe('where a CA is kept', () => {
  const elsewhere = (signer: Running): Running => ({...signer, cacerts: 'absent'});
  table([
    [
      'a root that istiod made for itself stays in istio-ca-secret, and its certificate becomes the root of the mesh',
      {c1: selfSigned, withKeys: true},
      {clusters: ['c1 istio-ca-secret', 'c2 cacerts'], files: [...filesOf2, 'c2/ca-key.pem'], keys: ['c2']},
    ],
    [
      'with istio-csr there are no files, and workloads trust what the bundle holds',
      {c1: elsewhere(istioCsr)},
      {clusters: ['c1 elsewhere', 'c2 cacerts'], ...only2},
    ],
    [
      'with a signer of Kubernetes there are no files',
      {c1: elsewhere(kubernetesSigner)},
      {clusters: ['c1 elsewhere', 'c2 cacerts'], ...only2},
    ],
    [
      'a signer of Kubernetes without a name is ignored',
      {c1: elsewhere(env({EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API'}))},
      {clusters: ['c1: NOT_FOUND', 'c2 cacerts'], ...only2},
    ],
    [
      'the name of a signer of Kubernetes is ignored where istiod has its own CA',
      {c1: elsewhere(env({PILOT_CERT_PROVIDER: 'k8s.io/issuers.example.com/mesh'}))},
      {clusters: ['c1: NOT_FOUND', 'c2 cacerts'], ...only2},
    ],
    [
      'with istio-csr an old istio-ca-secret is ignored',
      {c1: {...selfSigned, ...istioCsr}},
      {clusters: ['c1 elsewhere', 'c2 cacerts'], ...only2},
    ],
    ['with cacerts the environment of istiod is ignored', {c1: istioCsr}, {}],
    ['with cacerts an old istio-ca-secret is ignored', {c1: {selfSigned: otherRoot.certificate.pem}}, {}],
  ]);
});

describe('files of the work directory', () => {
  const {caCert, rootCert, certChain} = bundleOf(ca1, [root]);
  const files = (all: CaFiles): Change => ({standing: holding('c1', all)});
  table([
    ['are not written again where they are the same', files({caCert, rootCert, certChain}), {files: filesOf2}],
    ['are added where others are missing', files({caCert}), {files: [...filesOf1.slice(1), ...filesOf2]}],
    [
      'are the same with Windows line endings and text around the certificates',
      files({caCert: `subject=Intermediate CA\n${caCert}`.replaceAll('\n', '\r\n')}),
      {files: [...filesOf1.slice(1), ...filesOf2]},
    ],
    [
      'are the same where the Secret has the same text that is no certificate',
      {...files({certChain: ''}), c1: changed({'cert-chain.pem': ''})},
      {files: [...filesOf1.slice(0, 2), ...filesOf2], warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'are in conflict where the CA is another one',
      files({caCert: ca2.certificate.pem}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'are in conflict where the root is another one',
      files({rootCert: otherRoot.certificate.pem}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2, rootCert: undefined, warnings: ['c2', 'mesh', 'c2']},
    ],
    [
      'are in conflict where the chain is another one',
      files({certChain: caCert}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'are in conflict where they cannot be read',
      files({caCert: 'broken'}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'are in conflict where neither they nor the Secret can be read, and they differ',
      {...files({caCert: 'broken'}), c1: changed({'ca-cert.pem': 'broken, too'})},
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'are left out where the Secret does not hold them',
      {c1: without('cert-chain.pem')},
      {files: [...filesOf1.slice(0, 2), ...filesOf2], warnings: ['c1', 'c1', 'c2']},
    ],
  ]);

  it.each<readonly [which: string, secret: Running, expected: Texts]>([
    [
      'a deeper chain as it is',
      {cacerts: cacertsOf(filesOf(belowPolicy, policy, root))},
      {
        'c1/ca-cert.pem': belowPolicy.certificate.pem,
        'c1/root-cert.pem': root.certificate.pem,
        'c1/cert-chain.pem': rootFile(belowPolicy, policy, root).text,
      },
    ],
    [
      "the CA alone out of cert-manager's layout, and its chain with the root",
      {cacerts: cacertsOf({...tls, 'tls.crt': rootFile(belowPolicy, policy).text}, certManager)},
      {
        'c1/ca-cert.pem': belowPolicy.certificate.pem,
        'c1/root-cert.pem': root.certificate.pem,
        'c1/cert-chain.pem': rootFile(belowPolicy, policy, root).text,
      },
    ],
    [
      "what cannot be read of cert-manager's layout as it is",
      {cacerts: cacertsOf({...tls, 'tls.crt': 'broken\n'}, certManager)},
      {
        ...{'c1/ca-cert.pem': 'broken\n', 'c1/root-cert.pem': root.certificate.pem},
        'c1/cert-chain.pem': `broken\n${root.certificate.pem}`,
      },
    ],
  ])('get %s', (_which, secret, expected) => {
    const [first] = adoptableOf(decide({c1: secret}).clusters);
    expect(Object.fromEntries((first?.files ?? []).map(({path, content}) => [path, content]))).toEqual(expected);
  });

  it.each(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'])(
    'get no private key that was left in %s of the Secret',
    (name) => {
      const change = {c1: changed({[name]: `${texts1[name] ?? ''}${rootKey}`}), withKeys: true};
      expect(outcomeOf(change)).toEqual({
        ...{...adopted, clusters: ['c1: CA_FILES_INVALID', 'c2 cacerts'], files: [...filesOf2, 'c2/ca-key.pem']},
        ...{keys: ['c2'], warnings: ['c2']},
      });
    },
  );
});

describe('with --with-keys', () => {
  const withKeys = true;
  /** Only c1 has a key to copy. */
  const c2: Running = {
    cacerts: cacertsOf(Object.fromEntries(Object.entries(texts2).filter(([name]) => name !== 'ca-key.pem'))),
  };
  const key = {files: [...filesOf1, 'c1/ca-key.pem', ...filesOf2], keys: ['c1']};
  /** The key of the root under a certificate that another root made for it. */
  const underOtherRoot = (change: Texts): Running => ({
    cacerts: cacertsOf({...filesOf(crossSignedRoot, otherRoot), ...change}),
  });
  table([
    ['the key of a cluster CA is copied', {withKeys, c2}, key],
    ["the key in cert-manager's layout is copied, too", {withKeys, c1: {cacerts: cacertsOf(tls)}, c2}, key],
    ['a key that the Secret does not hold is not copied', {withKeys, c1: without('ca-key.pem'), c2}, {}],
    [
      'a key that is there already is not copied',
      {withKeys, c2, standing: holding('c1', {caKey: writePrivateKey(ca2.key)})},
      {},
    ],
    [
      'the key of the root is not copied where a cluster signs with the root itself',
      {withKeys, c1: {cacerts: cacertsOf(filesOf(root, root))}, c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'the key of the root is not copied where it lies beside the certificate of a cluster CA',
      {withKeys, c1: changed({'ca-key.pem': rootKey}), c2},
      {warnings: ['c1', 'c1', 'c1', 'c2']},
    ],
    [
      'the key of a root is not copied under a certificate that another root made for it',
      {
        ...{withKeys, c2},
        c1: {
          cacerts: cacertsOf({...filesOf(crossSignedRoot, otherRoot), 'root-cert.pem': rootFile(otherRoot, root).text}),
        },
      },
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c1', 'c2']},
    ],
    [
      'the key of a root is not copied where only cert-chain.pem shows the root',
      {withKeys, c1: underOtherRoot({'cert-chain.pem': rootFile(crossSignedRoot, root).text}), c2},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c1', 'c1', 'c1', 'c2']},
    ],
    [
      'the key of a root is not copied where only ca-cert.pem shows the root',
      {withKeys, c1: underOtherRoot({'ca-cert.pem': rootFile(crossSignedRoot, root).text}), c2},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c1', 'c2']},
    ],
    [
      'a key that belongs to another certificate is not copied',
      {withKeys, c1: changed({'ca-key.pem': writePrivateKey(ca2.key).reveal()}), c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'a key whose certificate cannot be read is not copied',
      {withKeys, c1: changed({'ca-cert.pem': 'broken'}), c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'a key that cannot be read is not copied',
      {withKeys, c1: changed({'ca-key.pem': 'broken'}), c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
  ]);

  it('the copied key is the one of the Secret', () => {
    const [first] = adoptableOf(decide({withKeys}).clusters);
    const content = first?.files.find(({path}) => path === 'c1/ca-key.pem')?.content;
    expect(typeof content === 'object' && content.reveal()).toBe(texts1['ca-key.pem']);
  });
});

describe('root-cert.pem of the mesh', () => {
  const other: Running = {cacerts: cacertsOf(filesOf(belowOtherRoot, otherRoot))};
  const rootsOf1 = (...roots: readonly TinyCa[]): Running => changed({'root-cert.pem': rootFile(...roots).text});
  const rootsOf2 = (...roots: readonly TinyCa[]): Running => ({
    cacerts: cacertsOf({...texts2, 'root-cert.pem': rootFile(...roots).text}),
  });
  table([
    ['is not written where it is there', {standing: {rootCert: root.certificate.pem}}, {rootCert: undefined}],
    [
      'that differs from what clusters trust causes a warning for each of them',
      {standing: {rootCert: otherRoot.certificate.pem}},
      {rootCert: undefined, warnings: ['c1', 'c2', 'c1', 'c2']},
    ],
    [
      'is not written where the roots of clusters differ, which causes a warning for the mesh, too',
      {c2: other},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c2']},
    ],
    [
      'is not written where one cluster trusts one more root',
      {c2: rootsOf2(root, otherRoot)},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c2']},
    ],
    [
      'is that of the first cluster where the same roots stand in another order',
      {c1: rootsOf1(root, otherRoot), c2: rootsOf2(otherRoot, root)},
      {rootCert: rootFile(root, otherRoot).text},
    ],
    [
      'is compared with a cluster of the work directory that is not adopted in this run',
      {standing: holding('west', {rootCert: otherRoot.certificate.pem})},
      {rootCert: undefined, warnings: ['c1', 'c2', 'mesh', 'c1', 'c2']},
    ],
    [
      'is that of the Secret where the work directory has the same with other text around it',
      {looked: [looked('c1')], standing: holding('c1', {rootCert: `the root\n${root.certificate.pem}`})},
      {clusters: ['c1 cacerts'], files: ['c1/ca-cert.pem', 'c1/cert-chain.pem'], warnings: ['c1']},
    ],
    [
      'is that of a cluster of the work directory that is not adopted in this run, where all agree',
      {standing: holding('west', {rootCert: `the root\n${root.certificate.pem}`})},
      {rootCert: `the root\n${root.certificate.pem}`},
    ],
    [
      'is compared with the root that an istiod made for itself',
      {c2: {cacerts: 'absent', selfSigned: otherRoot.certificate.pem}},
      {
        clusters: ['c1 cacerts', 'c2 istio-ca-secret'],
        files: filesOf1,
        rootCert: undefined,
        warnings: ['c2', 'mesh', 'c1', 'c2'],
      },
    ],
    [
      'is compared with the bundle where certificates come from elsewhere',
      {c2: {cacerts: 'absent', ...istioCsr, bundle: otherRoot.certificate.pem}},
      {clusters: ['c1 cacerts', 'c2 elsewhere'], files: filesOf1, rootCert: undefined, warnings: ['c2', 'mesh', 'c1']},
    ],
    [
      'is that of the other cluster where one has no bundle',
      {c2: {cacerts: 'absent', ...istioCsr, bundle: undefined}},
      {clusters: ['c1 cacerts', 'c2 elsewhere'], files: filesOf1, warnings: ['c1']},
    ],
    [
      'is not taken from an istio-ca-secret whose certificate has a key beside it',
      {looked: [looked('c1', {cacerts: 'absent', selfSigned: `${root.certificate.pem}${rootKey}`})]},
      {clusters: ['c1 istio-ca-secret'], files: [], rootCert: undefined, warnings: ['c1']},
    ],
    [
      'is that of the other cluster where the root of one cannot be read',
      {c1: changed({'root-cert.pem': 'broken'})},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'is not decided by a cluster that cannot be adopted',
      {c2: {...other, istiod: {meshID: 'mesh2'}}},
      {clusters: ['c1 cacerts', 'c2: CONTRADICTION'], ...only1},
    ],
  ]);
});

describe('a warning', () => {
  const external = 'trust: {signer: {type: csr}}\n';
  table([
    ['about the unknown signer is omitted where root-key.pem exists', {standing: {hasRootKey: true}}, {warnings: []}],
    [
      'about the unknown signer is omitted where mesh.yaml declares one',
      {standing: declared('[{name: c1}]', external)},
      {warnings: []},
    ],
    [
      'about the unknown signer is omitted where cert-manager fills cacerts',
      {c1: {cacerts: cacertsOf(tls, certManager)}},
      {warnings: ['c2']},
    ],
    [
      'about the unknown signer is omitted where cacerts has an owner',
      {c1: {cacerts: cacertsOf(texts1, {owner: {kind: 'SealedSecret', name: 'cacerts'}})}},
      {warnings: ['c2']},
    ],
    [
      'says that istiod has another name, which no cluster may have',
      {looked: [looked('c1', {istiod: {clusterID: 'Kubernetes'}}, {givenName: 'c1'})]},
      {clusters: ['c1 cacerts'], ...only1, warnings: ['c1', 'c1']},
    ],
    [
      'says that istiod has no name',
      {looked: [looked('c1', silent('c1', 'clusterID'), {givenName: 'c1'})]},
      {clusters: ['c1 cacerts'], ...only1, warnings: ['c1', 'c1']},
    ],
    [
      'says what keeps istiod from loading cacerts',
      {c1: changed({'cert-chain.pem': 'broken'})},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'says that versions of Istio are mixed',
      {c2: {istiod: {tag: '1.30.4', version: {major: 1, minor: 30, patch: 4}}}},
      {warnings: ['c1', 'c2', 'mesh']},
    ],
    [
      'says that versions of Istio are mixed in one cluster',
      {
        c1: {
          controlPlanes: [
            controlPlane('c1'),
            controlPlane('c1', {revision: 'canary', tag: '1.32.0', version: {major: 1, minor: 32, patch: 0}}),
          ],
        },
      },
      {warnings: ['c1', 'c2', 'mesh']},
    ],
    [
      'is omitted where patches of one version run',
      {c2: {istiod: {tag: '1.31.4', version: {major: 1, minor: 31, patch: 4}}}},
      {},
    ],
    [
      'is omitted where a tag names no release',
      {c2: {istiod: {tag: 'latest', version: {major: 1, minor: 99, patch: 0}}}},
      {},
    ],
  ]);
});

describe('the declaration', () => {
  const all: Adoption['declaration'] = {
    clusters: ['c1', 'c2'],
    ownContexts: {c1: 'ctx-c1', c2: 'ctx-c2'},
    networks: {c1: 'network1', c2: 'network1'},
    uids: {c1: 'uid-c1', c2: 'uid-c2'},
    ...{meshID: 'mesh1', istioVersion: '1.31', keyAlgorithm: 'ecdsa-p256'},
  };
  const certManagerRuns = (texts: Texts): Running => ({cacerts: cacertsOf(texts, certManager)});
  const bySelf: Running = {cacerts: 'absent', selfSigned: root.certificate.pem};
  const byCsr: Running = {cacerts: 'absent', ...istioCsr};
  const version30: Running = {istiod: {tag: '1.30.4', version: {major: 1, minor: 30, patch: 4}}};

  it.each<
    readonly [behaviour: string, change: Change, expected: Partial<Record<keyof Adoption['declaration'], unknown>>]
  >([
    ['names clusters, contexts, networks, UIDs, mesh ID, version and key algorithm', {}, {}],
    [
      'leaves out what cannot be adopted',
      {c2: {cacerts: 'absent'}},
      {clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
    ],
    [
      'leaves out a network that is not said',
      {looked: [looked('c1'), {context: 'ctx-c2', observed: known(omit(running('c2'), 'network'))}]},
      {networks: {c1: 'network1'}},
    ],
    ['leaves out a mesh ID that is not said', {c1: silent('c1', 'meshID')}, {meshID: undefined}],
    [
      'names a trust domain other than the default',
      {c1: {istiod: {trustDomain: 'example.com'}}, c2: {istiod: {trustDomain: 'example.com'}}},
      {trustDomain: 'example.com'},
    ],
    ['leaves out a trust domain that is not said', {c1: silent('c1', 'trustDomain')}, {}],
    ['names no version where versions are mixed', {c2: version30}, {istioVersion: undefined}],
    [
      'names the version of the clusters that run a release',
      {c1: {istiod: {tag: 'latest', version: {major: 1, minor: 99, patch: 0}}}, c2: version30},
      {istioVersion: '1.30'},
    ],
    [
      'names no version where none runs a release',
      {looked: [looked('c1', {istiod: {tag: ''}})]},
      {
        ...{clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
        istioVersion: undefined,
      },
    ],
    [
      'names revisions where there are others than the default',
      {c1: {istiod: {revision: 'canary'}}},
      {revisions: ['default', 'canary']},
    ],
    [
      'names revisions where the only one is not the default',
      {c1: {istiod: {revision: 'stable'}}, c2: {istiod: {revision: 'canary'}}},
      {revisions: ['canary', 'stable']},
    ],
    [
      'names each revision once',
      {c1: {istiod: {revision: 'canary'}}, c2: {istiod: {revision: 'canary'}}},
      {revisions: ['canary']},
    ],
    [
      'names no key algorithm where those of the cluster CAs differ',
      {c2: {cacerts: cacertsOf(filesOf(caOfP384, root))}},
      {keyAlgorithm: undefined},
    ],
    [
      'names no key algorithm that mesh.yaml does not know',
      {c1: {cacerts: cacertsOf(filesOf(caOfP521, root))}, c2: byCsr},
      {keyAlgorithm: undefined},
    ],
    [
      'names no key algorithm where the certificate of one cannot be read',
      {c1: changed({'ca-cert.pem': 'broken'})},
      {keyAlgorithm: undefined},
    ],
    [
      'names no key algorithm where mesh.yaml has a cluster that was not looked at',
      {standing: declared('[{name: c1}, {name: west}]')},
      {keyAlgorithm: undefined},
    ],
    [
      'names the key algorithm where mesh.yaml has the same clusters',
      {standing: declared('[{name: c1}, {name: c2}]')},
      {},
    ],
    ['takes the key algorithm from cacerts alone', {c2: bySelf}, {}],
    [
      'names the only cluster that signs for itself as the signer',
      {looked: [looked('c1', bySelf)]},
      {
        ...{clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
        ...{keyAlgorithm: undefined, signer: {type: 'cluster', context: 'ctx-c1'}},
      },
    ],
    ['names no signer where two clusters sign for themselves', {c1: bySelf, c2: bySelf}, {keyAlgorithm: undefined}],
    ['names no signer where only one of them signs for itself', {c1: bySelf}, {}],
    [
      'names cert-manager where it fills cacerts everywhere',
      {c1: certManagerRuns(tls), c2: certManagerRuns(texts2)},
      {signer: {type: 'external', issuer: 'cert-manager'}},
    ],
    ['names no signer where cert-manager fills cacerts in one cluster only', {c1: certManagerRuns(tls)}, {}],
    [
      'names no signer where somebody else than cert-manager fills cacerts',
      {
        looked: [looked('c1', {cacerts: cacertsOf(texts1, {owner: {kind: 'SealedSecret', name: 'cacerts'}})})],
      },
      {clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
    ],
    [
      'names istio-csr where it signs everywhere',
      {c1: byCsr, c2: byCsr},
      {keyAlgorithm: undefined, signer: {type: 'external', issuer: 'istio-csr'}},
    ],
    [
      'names the signer of Kubernetes',
      {c1: {cacerts: 'absent', ...kubernetesSigner}, c2: {cacerts: 'absent', ...kubernetesSigner}},
      {
        keyAlgorithm: undefined,
        signer: {type: 'external', issuer: 'kubernetes-csr', signerName: 'issuers.example.com/mesh'},
      },
    ],
    [
      'names no signer where root-key.pem signs already',
      {c1: byCsr, c2: byCsr, standing: {hasRootKey: true}},
      {keyAlgorithm: undefined},
    ],
    [
      'names no signer where mesh.yaml declares one',
      {c1: byCsr, c2: byCsr, standing: declared('[{name: c1}]', 'trust: {signer: {type: csr}}\n')},
      {keyAlgorithm: undefined},
    ],
  ])('%s', (_behaviour, change, expected) => {
    const merged = Object.entries({...all, ...expected}).filter(([, value]) => value !== undefined);
    expect(decide(change).declaration).toStrictEqual(Object.fromEntries(merged));
  });

  it('is empty where nothing can be adopted', () => {
    expect(decide({c1: {cacerts: 'absent'}, c2: {cacerts: 'absent'}}).declaration).toEqual({});
  });
});

it('shows who fills cacerts, and so who renews the CA', () => {
  const [first, second] = adoptableOf(decide({c1: {cacerts: cacertsOf(texts1, certManager)}}).clusters);
  expect([first?.keeper, second?.keeper]).toEqual(['cert-manager Certificate istio-ca', undefined]);
});

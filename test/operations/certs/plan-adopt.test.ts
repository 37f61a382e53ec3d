import {generateKeyPairSync} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {type ErrorCode, MeshError} from '../../../src/domain/errors.js';
import type {ControlPlaneFacts} from '../../../src/domain/facts/facts.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import {known, unknown} from '../../../src/domain/observed.js';
import type {CaFiles} from '../../../src/domain/ca/ca-files.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {readCacerts} from '../../../src/domain/trust/cacerts.js';
import type {CaSource} from '../../../src/domain/istio/ca-source.js';
import {usualSource} from '../../helpers/ca-mount.js';
import type {RunningCluster} from '../../../src/observe/running-cluster.js';
import {clusterNameOf} from '../../../src/operations/certs/adopted-names.js';
import {adoptAll} from '../../../src/operations/certs/plan-adopt.js';
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
/** Secret cacerts of c1 as in Istio's guide, with these keys replaced. */
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

/** The roots of the CA that the cluster runs with. */
function bundleOfWorkloads({cacerts, selfSigned}: Running): string | undefined {
  return cacerts === 'absent' ? selfSigned : cacerts?.files.rootCert;
}

/** A cluster set up as in Istio's guide. */
function running(name: 'c1' | 'c2', {istiod = {}, ...change}: Running = {}): RunningCluster {
  return {
    ...{uid: `uid-${name}`, controlPlanes: [controlPlane(name, istiod)], network: 'network1'},
    cacerts: name === 'c1' ? cacerts1 : cacerts2,
    caSources: [{istiod: 'istiod', source: usualSource}],
    ...{selfSigned: undefined, bundle: bundleOfWorkloads(change) ?? root.certificate.pem},
    ...change,
  };
}
/** The object without these fields. */
function omit<T extends object, Field extends keyof T>(object: T, ...fields: readonly Field[]): Omit<T, Field> {
  const kept = Object.entries(object).filter(([field]) => !fields.some((one) => one === field));
  return Object.fromEntries(kept) as Omit<T, Field>;
}
/** A cluster whose control plane omits an optional field. */
function silent(name: 'c1' | 'c2', field: 'clusterID' | 'meshID' | 'trustDomain'): Running {
  const fields = field === 'clusterID' ? (['clusterID', 'proxyClusterID'] as const) : [field];
  return {controlPlanes: [omit(controlPlane(name), ...fields)]};
}
/** A cluster whose istiod and proxies have this clusterName. */
const runningAs = (name: string): Running => ({istiod: {clusterID: name, proxyClusterID: name}});
/** The context of such a cluster, after it was read. */
function inspected(name: 'c1' | 'c2', change: Running = {}, words: Partial<InspectedContext> = {}): InspectedContext {
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
    inspected('c1', runningAs('Kubernetes'), words);
  it.each<readonly [behaviour: string, one: InspectedContext, existing: Partial<ExistingWorkDir>, expected: string]>([
    ["is istiod's clusterName", inspected('c1'), {}, 'c1'],
    ["is the given name where istiod's clusterName is not a valid name", anonymous({givenName: 'west'}), {}, 'west'],
    ["is the given name rather than istiod's clusterName", inspected('c1', {}, {givenName: 'west'}), {}, 'west'],
    [
      "is the name in mesh.yaml for the context rather than istiod's clusterName",
      inspected('c1'),
      declared('[{name: west, context: ctx-c1}]'),
      'west',
    ],
    [
      "is the name in mesh.yaml for istiod's clusterName where the cluster has no context yet",
      anonymous(),
      declared('[{name: west, istioName: Kubernetes}]'),
      'west',
    ],
    [
      "is not the name in mesh.yaml for istiod's clusterName where that cluster has another context",
      anonymous(),
      declared('[{name: west, istioName: Kubernetes, context: other}]'),
      'ctx-c1',
    ],
    ['is the name in mesh.yaml for the context', anonymous(), declared('[{name: west, context: ctx-c1}]'), 'west'],
    [
      'is the name in contexts.yaml for the context, which takes precedence over mesh.yaml',
      anonymous(),
      {
        ...declared('[{name: west, context: ctx-c1}, {name: east, context: ctx}]'),
        contexts: {west: 'mine', east: 'ctx-c1'},
      },
      'east',
    ],
    [
      'is the given name rather than the one in mesh.yaml',
      anonymous({givenName: 'east'}),
      declared('[{name: west, context: ctx-c1}]'),
      'east',
    ],
    ['is the name of the context where there is no other', anonymous(), {}, 'ctx-c1'],
    [
      'is the name of the context where istiod has no CLUSTER_ID',
      inspected('c1', silent('c1', 'clusterID'), {context: 'west'}),
      {},
      'west',
    ],
    [
      'is the given name where the cluster cannot be read',
      {context: 'ctx-c1', givenName: 'west', observed: forbidden},
      {},
      'west',
    ],
    ['may be given even if istiod has the same one', inspected('c1', {}, {givenName: 'c1'}), {}, 'c1'],
  ])('%s', (_behaviour, one, existing, expected) => {
    expect(clusterNameOf(one, {...empty, ...existing})).toBe(expected);
  });

  it.each<readonly [behaviour: string, one: InspectedContext, existing: Partial<ExistingWorkDir>, code: ErrorCode]>([
    [
      'must be given where the name of the context is not valid either',
      anonymous({context: 'arn:aws:eks'}),
      {},
      'USAGE',
    ],
  ])('%s', (_behaviour, one, existing, code) => {
    expect(() => clusterNameOf(one, {...empty, ...existing})).toThrow(expect.objectContaining({code}) as Error);
  });
});

interface Change {
  readonly c1?: Running;
  readonly c2?: Running;
  /** Instead of contexts ctx-c1 and ctx-c2. */
  readonly inspected?: readonly InspectedContext[];
  readonly existing?: Partial<ExistingWorkDir>;
  readonly withKeys?: boolean;
}

interface Outcome {
  /** For each context: `c1 cacerts`, where its CA is stored, or `c1: CODE`. */
  readonly clusters: readonly string[];
  /** Paths that are written, besides root-cert.pem of the mesh. */
  readonly files: readonly string[];
  /** Clusters whose CA key is copied. */
  readonly keys: readonly string[];
  /** The mesh's new root-cert.pem. */
  readonly rootCert: unknown;
  /** The cluster of each warning; `mesh` for the whole run. */
  readonly warnings: readonly string[];
}

function decide({c1, c2, inspected: all, existing, withKeys = false}: Change): Adoption {
  return adoptAll(all ?? [inspected('c1', c1), inspected('c2', c2)], {...empty, ...existing}, withKeys);
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

/** Both clusters are adopted; the warnings report that the signers of their CAs are unknown. */
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

it("adopts clusters set up as in Istio's guide", () => {
  expect(outcomeOf({})).toEqual(adopted);
});

describe('the CA that istiod mounts', () => {
  const reads = (source: CaSource): Pick<Running, 'caSources'> => ({caSources: [{istiod: 'istiod', source}]});
  const csi = reads({from: 'volume', what: 'a volume of CSI driver x'});
  const leftOver = otherRoot.certificate.pem;
  table([
    [
      'is adopted from a Secret of another name',
      {c1: reads({from: 'secret', name: 'mesh-ca'})},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'leaves the live root of a CSI volume, not that of an old istio-ca-secret',
      {c1: {...csi, cacerts: 'absent', selfSigned: leftOver, bundle: root.certificate.pem}},
      {clusters: ['c1 elsewhere', 'c2 cacerts'], ...only2, warnings: ['c1', 'c2']},
    ],
    [
      'is unknown behind a CSI volume without a bundle, whatever istio-ca-secret contains',
      {c1: {...csi, cacerts: 'absent', selfSigned: leftOver, bundle: undefined}},
      {clusters: ['c1: NOT_FOUND', 'c2 cacerts'], ...only2},
    ],
    [
      'leaves the live root, and no files, if istiod has not loaded the Secret',
      {c1: {cacerts: cacertsOf(filesOf(belowOtherRoot, otherRoot)), bundle: root.certificate.pem}},
      {...only2, warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'is the self-signed root if istiod reads a directory without a volume',
      {
        c1: {
          ...reads({from: 'nothing', directory: '/var/ca'}),
          ...{cacerts: 'absent', selfSigned: root.certificate.pem, bundle: root.certificate.pem},
        },
      },
      {clusters: ['c1 istio-ca-secret', 'c2 cacerts'], ...only2, warnings: ['c1', 'c1', 'c2']},
    ],
  ]);
});

describe('a context is rejected, and the others are adopted,', () => {
  const noId = silent('c1', 'clusterID');
  table([
    [
      'where it cannot be read',
      {inspected: [inspected('c1'), {context: 'ctx-c2', observed: forbidden}]},
      {clusters: ['c1 cacerts', 'ctx-c2: FORBIDDEN'], ...only1},
    ],
    [
      'where it cannot be read, under the given name',
      {inspected: [{context: 'ctx-c1', givenName: 'c1', observed: forbidden}, inspected('c2')]},
      {clusters: ['c1: FORBIDDEN', 'c2 cacerts'], ...only2},
    ],
    [
      'where it cannot be read, whatever other context has its name',
      {inspected: [inspected('c1'), {context: 'ctx', givenName: 'c1', observed: forbidden}]},
      {clusters: ['c1 cacerts', 'c1: FORBIDDEN'], ...only1},
    ],
    [
      'where there is no name for it',
      {inspected: [inspected('c1', noId, {context: 'arn:aws:eks'}), inspected('c2')]},
      {clusters: ['arn:aws:eks: USAGE', 'c2 cacerts'], ...only2},
    ],
    [
      'where istiod has the name of another cluster',
      {
        existing: declared('[{name: c1, context: other}]'),
        inspected: [inspected('c1', {}, {givenName: 'west'}), inspected('c2')],
      },
      {clusters: ['west: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    [
      'where mesh.yaml declares another clusterName for it',
      {existing: declared('[{name: c1, istioName: Other}]')},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    [
      'where mesh.yaml has its name as the clusterName of another cluster',
      {existing: declared('[{name: other, istioName: c1, context: elsewhere}]')},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    [
      'where an earlier context results in the same name',
      {inspected: [inspected('c1'), inspected('c2', runningAs('c1'))]},
      {clusters: ['c1 cacerts', 'c1: CONTRADICTION'], ...only1},
    ],
    [
      'where two earlier contexts have the same name',
      {
        inspected: [
          inspected('c1'),
          inspected('c1', {uid: 'u2'}, {context: 'b'}),
          inspected('c1', {uid: 'u3'}, {context: 'c'}),
        ],
      },
      {clusters: ['c1 cacerts', 'c1: CONTRADICTION', 'c1: CONTRADICTION'], ...only1},
    ],
    [
      'but not where an earlier context of the same name could not be read',
      {inspected: [{context: 'ctx', givenName: 'c1', observed: forbidden}, inspected('c1')]},
      {clusters: ['c1: FORBIDDEN', 'c1 cacerts'], ...only1},
    ],
    [
      'where two contexts point to one cluster',
      {inspected: [inspected('c1', noId, {givenName: 'a'}), inspected('c1', noId, {givenName: 'b'}), inspected('c2')]},
      {clusters: ['a: UID_MISMATCH', 'b: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where mesh.yaml recorded another UID for it',
      {existing: declared('[{name: c1, uid: uid-before}]')},
      {clusters: ['c1: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where mesh.yaml recorded its UID for another cluster',
      {existing: declared('[{name: west, uid: uid-c1}]')},
      {clusters: ['c1: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where two contexts have its name and mesh.yaml recorded the UID of the first',
      {
        inspected: [inspected('c1'), inspected('c1', {uid: 'uid-other'}, {context: 'b'}), inspected('c2')],
        existing: declared('[{name: c1, uid: uid-c1}]'),
      },
      {clusters: ['c1 cacerts', 'c1: UID_MISMATCH', 'c2 cacerts']},
    ],
    [
      'where two contexts have its name and mesh.yaml recorded the UID of the second',
      {
        inspected: [inspected('c1', {uid: 'uid-other'}, {context: 'b'}), inspected('c1'), inspected('c2')],
        existing: declared('[{name: c1, uid: uid-c1}]'),
      },
      {clusters: ['c1: UID_MISMATCH', 'c1 cacerts', 'c2 cacerts']},
    ],
    ['but not where mesh.yaml recorded the same UID', {existing: declared('[{name: c1, uid: uid-c1}]')}, {}],
    [
      'where it has another mesh ID',
      {c2: {istiod: {meshID: 'mesh2'}}},
      {clusters: ['c1 cacerts', 'c2: CONTRADICTION'], ...only1},
    ],
    [
      'where it has another mesh ID than mesh.yaml, whatever the first cluster has',
      {c1: {istiod: {meshID: 'mesh2'}}, existing: {file: parseMeshFile(meshYaml())}},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    ['but not where it has no mesh ID', {c2: silent('c2', 'meshID')}, {}],
    ['but not where the first cluster has no mesh ID', {c1: silent('c1', 'meshID')}, {}],
    [
      'where it has another mesh ID than the first cluster that can be adopted',
      {
        inspected: [inspected('c1', {istiod: {meshID: 'mesh2'}}), inspected('c2')],
        existing: declared('[{name: c1, uid: uid-before}]'),
      },
      {clusters: ['c1: UID_MISMATCH', 'c2 cacerts'], ...only2},
    ],
    [
      'where it has another trust domain',
      {c2: {istiod: {trustDomain: 'example.com'}}},
      {clusters: ['c1 cacerts', 'c2: CONTRADICTION'], ...only1},
    ],
    [
      'where it has another trust domain than the default and mesh.yaml declares none',
      {c1: {istiod: {trustDomain: 'example.com'}}, existing: declared('[{name: c1}]')},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    [
      'but not where it has the trust domain in mesh.yaml',
      {
        ...{c1: {istiod: {trustDomain: 'example.com'}}, c2: {istiod: {trustDomain: 'example.com'}}},
        existing: declared('[{name: c1}]', 'trustDomain: example.com\n'),
      },
      {},
    ],
    [
      'but not where all have the same trust domain and there is no mesh.yaml',
      {c1: {istiod: {trustDomain: 'example.com'}}, c2: {istiod: {trustDomain: 'example.com'}}},
      {},
    ],
    [
      'where it has another network than in mesh.yaml',
      {existing: declared('[{name: c1, network: network2}, {name: c2, network: network1}]')},
      {clusters: ['c1: CONTRADICTION', 'c2 cacerts'], ...only2},
    ],
    ['but not where it has another network than the first', {c2: {network: 'network2'}}, {}],
    ['where it has no CA', {c1: {cacerts: 'absent'}}, {clusters: ['c1: NOT_FOUND', 'c2 cacerts'], ...only2}],
    [
      'and where all are rejected, nothing is written',
      {c1: {cacerts: 'absent'}, c2: {cacerts: 'absent'}},
      {clusters: ['c1: NOT_FOUND', 'c2: NOT_FOUND'], ...none},
    ],
  ]);
});

describe('where a CA is stored', () => {
  const elsewhere = (signer: Running): Running => ({...signer, cacerts: 'absent'});
  table([
    [
      "a self-signed root stays in istio-ca-secret, and its certificate becomes the mesh's root",
      {c1: selfSigned, withKeys: true},
      {clusters: ['c1 istio-ca-secret', 'c2 cacerts'], files: [...filesOf2, 'c2/ca-key.pem'], keys: ['c2']},
    ],
    [
      'with istio-csr there are no files, and workloads trust the bundle',
      {c1: elsewhere(istioCsr)},
      {clusters: ['c1 elsewhere', 'c2 cacerts'], ...only2},
    ],
    [
      'with a Kubernetes signer there are no files',
      {c1: elsewhere(kubernetesSigner)},
      {clusters: ['c1 elsewhere', 'c2 cacerts'], ...only2},
    ],
    [
      'a Kubernetes signer without a name is ignored',
      {c1: elsewhere(env({EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API'}))},
      {clusters: ['c1: NOT_FOUND', 'c2 cacerts'], ...only2},
    ],
    [
      'the name of a Kubernetes signer is ignored where istiod is a CA',
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

describe('files in the work directory', () => {
  const {caCert, rootCert, certChain} = bundleOf(ca1, [root]);
  const files = (all: CaFiles): Change => ({existing: holding('c1', all)});
  table([
    ['are not written again if they are the same', files({caCert, rootCert, certChain}), {files: filesOf2}],
    ['are added if they are missing', files({caCert}), {files: [...filesOf1.slice(1), ...filesOf2]}],
    [
      'are the same with Windows line endings and text around the certificates',
      files({caCert: `subject=Intermediate CA\n${caCert}`.replaceAll('\n', '\r\n')}),
      {files: [...filesOf1.slice(1), ...filesOf2]},
    ],
    [
      'are the same if the Secret has the same text, even if it is not a certificate',
      {...files({certChain: ''}), c1: changed({'cert-chain.pem': ''})},
      {files: [...filesOf1.slice(0, 2), ...filesOf2], warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'conflict with another CA',
      files({caCert: ca2.certificate.pem}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'conflict with another root',
      files({rootCert: otherRoot.certificate.pem}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2, rootCert: undefined, warnings: ['c2', 'mesh', 'c2']},
    ],
    [
      'conflict with another chain',
      files({certChain: caCert}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'conflict if they are unreadable',
      files({caCert: 'broken'}),
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'conflict if both they and the Secret are unreadable and differ',
      {...files({caCert: 'broken'}), c1: changed({'ca-cert.pem': 'broken, too'})},
      {clusters: ['c1: WORKDIR_CONFLICT', 'c2 cacerts'], ...only2},
    ],
    [
      'are omitted if the Secret does not have them',
      {c1: without('cert-chain.pem')},
      {files: [...filesOf1.slice(0, 2), ...filesOf2], warnings: ['c1', 'c1', 'c2']},
    ],
  ]);

  it.each<readonly [which: string, secret: Running, expected: Texts]>([
    [
      'a deeper chain unchanged',
      {cacerts: cacertsOf(filesOf(belowPolicy, policy, root))},
      {
        'c1/ca-cert.pem': belowPolicy.certificate.pem,
        'c1/root-cert.pem': root.certificate.pem,
        'c1/cert-chain.pem': rootFile(belowPolicy, policy, root).text,
      },
    ],
    [
      "only the CA from cert-manager's layout, and its chain with the root",
      {cacerts: cacertsOf({...tls, 'tls.crt': rootFile(belowPolicy, policy).text}, certManager)},
      {
        'c1/ca-cert.pem': belowPolicy.certificate.pem,
        'c1/root-cert.pem': root.certificate.pem,
        'c1/cert-chain.pem': rootFile(belowPolicy, policy, root).text,
      },
    ],
    [
      "unreadable contents of cert-manager's layout unchanged",
      {cacerts: cacertsOf({...tls, 'tls.crt': 'broken\n'}, certManager)},
      {
        ...{'c1/ca-cert.pem': 'broken\n', 'c1/root-cert.pem': root.certificate.pem},
        'c1/cert-chain.pem': root.certificate.pem,
      },
    ],
  ])('get %s', (_which, secret, expected) => {
    const [first] = adoptableOf(decide({c1: secret}).clusters);
    expect(Object.fromEntries((first?.files ?? []).map(({path, content}) => [path, content]))).toEqual(expected);
  });

  it.each(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'])(
    'get no private key that is in %s of the Secret',
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
  /** The root's key with a certificate that another root issued for it. */
  const underOtherRoot = (change: Texts): Running => ({
    cacerts: cacertsOf({...filesOf(crossSignedRoot, otherRoot), ...change}),
  });
  table([
    ['the key of a cluster CA is copied', {withKeys, c2}, key],
    ["the key in cert-manager's layout is copied, too", {withKeys, c1: {cacerts: cacertsOf(tls)}, c2}, key],
    ['a key that is not in the Secret is not copied', {withKeys, c1: without('ca-key.pem'), c2}, {}],
    ['an existing key is not replaced', {withKeys, c2, existing: holding('c1', {caKey: writePrivateKey(ca2.key)})}, {}],
    [
      "the root's key is not copied if a cluster signs with the root itself",
      {withKeys, c1: {cacerts: cacertsOf(filesOf(root, root))}, c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      "the root's key is not copied from beside the certificate of a cluster CA",
      {withKeys, c1: changed({'ca-key.pem': rootKey}), c2},
      {warnings: ['c1', 'c1', 'c1', 'c2']},
    ],
    [
      "a root's key is not copied with a certificate that another root issued for it",
      {
        ...{withKeys, c2},
        c1: {
          cacerts: cacertsOf({...filesOf(crossSignedRoot, otherRoot), 'root-cert.pem': rootFile(otherRoot, root).text}),
        },
      },
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c1', 'c2']},
    ],
    [
      "a root's key is not copied if only cert-chain.pem has the root",
      {withKeys, c1: underOtherRoot({'cert-chain.pem': rootFile(crossSignedRoot, root).text}), c2},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c1', 'c2']},
    ],
    [
      "a root's key is not copied if only ca-cert.pem has the root",
      {withKeys, c1: underOtherRoot({'ca-cert.pem': rootFile(crossSignedRoot, root).text}), c2},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c1', 'c2']},
    ],
    [
      'a key that belongs to another certificate is not copied',
      {withKeys, c1: changed({'ca-key.pem': writePrivateKey(ca2.key).reveal()}), c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'a key with an unreadable certificate is not copied',
      {withKeys, c1: changed({'ca-cert.pem': 'broken'}), c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'an unreadable key is not copied',
      {withKeys, c1: changed({'ca-key.pem': 'broken'}), c2},
      {warnings: ['c1', 'c1', 'c2']},
    ],
  ]);

  it('the copied key is the one in the Secret', () => {
    const [first] = adoptableOf(decide({withKeys}).clusters);
    const content = first?.files.find(({path}) => path === 'c1/ca-key.pem')?.content;
    expect(typeof content === 'object' && content.reveal()).toBe(texts1['ca-key.pem']);
  });
});

describe("the mesh's root-cert.pem", () => {
  const other: Running = {cacerts: cacertsOf(filesOf(belowOtherRoot, otherRoot))};
  const rootsOf1 = (...roots: readonly TinyCa[]): Running => changed({'root-cert.pem': rootFile(...roots).text});
  const rootsOf2 = (...roots: readonly TinyCa[]): Running => ({
    cacerts: cacertsOf({...texts2, 'root-cert.pem': rootFile(...roots).text}),
  });
  table([
    ['is not written if it exists', {existing: {rootCert: root.certificate.pem}}, {rootCert: undefined}],
    [
      'causes a warning for each cluster that trusts other roots',
      {existing: {rootCert: otherRoot.certificate.pem}},
      {rootCert: undefined, warnings: ['c1', 'c2', 'c1', 'c2']},
    ],
    [
      'is not written if the roots of clusters differ, with a warning for the mesh as well',
      {c2: other},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c2']},
    ],
    [
      'is not written if one cluster trusts one more root',
      {c2: rootsOf2(root, otherRoot)},
      {rootCert: undefined, warnings: ['c2', 'mesh', 'c1', 'c2']},
    ],
    [
      'is that of the first cluster if the others have the same roots in another order',
      {c1: rootsOf1(root, otherRoot), c2: rootsOf2(otherRoot, root)},
      {rootCert: rootFile(root, otherRoot).text},
    ],
    [
      'is compared with a cluster in the work directory that is not adopted in this run',
      {existing: holding('west', {rootCert: otherRoot.certificate.pem})},
      {rootCert: undefined, warnings: ['c1', 'c2', 'mesh', 'c1', 'c2']},
    ],
    [
      'is that of the Secret if the work directory has the same with other text around it',
      {inspected: [inspected('c1')], existing: holding('c1', {rootCert: `the root\n${root.certificate.pem}`})},
      {clusters: ['c1 cacerts'], files: ['c1/ca-cert.pem', 'c1/cert-chain.pem'], warnings: ['c1']},
    ],
    [
      'is that of a cluster in the work directory that is not adopted in this run, if all agree',
      {existing: holding('west', {rootCert: `the root\n${root.certificate.pem}`})},
      {rootCert: root.certificate.pem},
    ],
    [
      'is compared with the root of a self-signed istiod',
      {c2: {cacerts: 'absent', selfSigned: otherRoot.certificate.pem}},
      {
        clusters: ['c1 cacerts', 'c2 istio-ca-secret'],
        files: filesOf1,
        rootCert: undefined,
        warnings: ['c2', 'mesh', 'c1', 'c2'],
      },
    ],
    [
      'is compared with the bundle if an external issuer signs',
      {c2: {cacerts: 'absent', ...istioCsr, bundle: otherRoot.certificate.pem}},
      {clusters: ['c1 cacerts', 'c2 elsewhere'], files: filesOf1, rootCert: undefined, warnings: ['c2', 'mesh', 'c1']},
    ],
    [
      'is that of the other cluster if one has no bundle',
      {c2: {cacerts: 'absent', ...istioCsr, bundle: undefined}},
      {clusters: ['c1 cacerts', 'c2 elsewhere'], files: filesOf1, warnings: ['c1']},
    ],
    [
      'is not taken from an istio-ca-secret whose certificate entry contains a key',
      {inspected: [inspected('c1', {cacerts: 'absent', selfSigned: `${root.certificate.pem}${rootKey}`})]},
      {clusters: ['c1 istio-ca-secret'], files: [], rootCert: undefined, warnings: ['c1']},
    ],
    [
      'is that of the other cluster if the root of one is unreadable',
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
    ['about the unknown signer is omitted where root-key.pem exists', {existing: {hasRootKey: true}}, {warnings: []}],
    [
      'about the unknown signer is omitted where mesh.yaml declares one',
      {existing: declared('[{name: c1}]', external)},
      {warnings: []},
    ],
    [
      'about the unknown signer is omitted where cert-manager manages cacerts',
      {c1: {cacerts: cacertsOf(tls, certManager)}},
      {warnings: ['c2']},
    ],
    [
      'about the unknown signer is omitted where cacerts has an owner',
      {c1: {cacerts: cacertsOf(texts1, {owner: {kind: 'SealedSecret', name: 'cacerts'}})}},
      {warnings: ['c2']},
    ],
    [
      'does not report a clusterName that is declared',
      {inspected: [inspected('c1', runningAs('Kubernetes'), {givenName: 'c1'})]},
      {clusters: ['c1 cacerts'], ...only1, warnings: ['c1']},
    ],
    [
      'reports a clusterName that another cluster has too',
      {
        inspected: [
          inspected('c1', runningAs('Kubernetes'), {givenName: 'c1'}),
          inspected('c2', runningAs('Kubernetes'), {givenName: 'c2'}),
        ],
      },
      {warnings: ['c1', 'c2', 'c2']},
    ],
    [
      'reports a clusterName that is unknown',
      {inspected: [inspected('c1', silent('c1', 'clusterID'), {givenName: 'c1'})]},
      {clusters: ['c1 cacerts'], ...only1, warnings: ['c1', 'c1']},
    ],
    [
      'reports what prevents istiod from loading cacerts',
      {c1: changed({'cert-chain.pem': 'broken'})},
      {warnings: ['c1', 'c1', 'c2']},
    ],
    [
      'reports mixed Istio versions',
      {c2: {istiod: {tag: '1.30.4', version: {major: 1, minor: 30, patch: 4}}}},
      {warnings: ['c1', 'c2', 'mesh']},
    ],
    [
      'reports mixed Istio versions in one cluster',
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
      'is omitted for patches of one minor version',
      {c2: {istiod: {tag: '1.31.4', version: {major: 1, minor: 31, patch: 4}}}},
      {},
    ],
    [
      'is omitted for a tag that is not a release',
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
    ['has clusters, contexts, networks, UIDs, mesh ID, version and key algorithm', {}, {}],
    [
      'omits clusters that cannot be adopted',
      {c2: {cacerts: 'absent'}},
      {clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
    ],
    [
      'omits a network that is not set',
      {inspected: [inspected('c1'), {context: 'ctx-c2', observed: known(omit(running('c2'), 'network'))}]},
      {networks: {c1: 'network1'}},
    ],
    ['omits a mesh ID that is not set', {c1: silent('c1', 'meshID')}, {meshID: undefined}],
    [
      'has a trust domain other than the default',
      {c1: {istiod: {trustDomain: 'example.com'}}, c2: {istiod: {trustDomain: 'example.com'}}},
      {trustDomain: 'example.com'},
    ],
    ['omits a trust domain that is not set', {c1: silent('c1', 'trustDomain')}, {}],
    ['has no version if versions are mixed', {c2: version30}, {istioVersion: undefined}],
    [
      'has the version of the clusters that run a release',
      {c1: {istiod: {tag: 'latest', version: {major: 1, minor: 99, patch: 0}}}, c2: version30},
      {istioVersion: '1.30'},
    ],
    [
      'has no version if no cluster runs a release',
      {inspected: [inspected('c1', {istiod: {tag: ''}})]},
      {
        ...{clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
        istioVersion: undefined,
      },
    ],
    [
      'has revisions if there are others than the default',
      {c1: {istiod: {revision: 'canary'}}},
      {revisions: ['default', 'canary']},
    ],
    [
      'has revisions if the only one is not the default',
      {c1: {istiod: {revision: 'stable'}}, c2: {istiod: {revision: 'canary'}}},
      {revisions: ['canary', 'stable']},
    ],
    [
      'has each revision once',
      {c1: {istiod: {revision: 'canary'}}, c2: {istiod: {revision: 'canary'}}},
      {revisions: ['canary']},
    ],
    [
      'has no key algorithm if those of the cluster CAs differ',
      {c2: {cacerts: cacertsOf(filesOf(caOfP384, root))}},
      {keyAlgorithm: undefined},
    ],
    [
      'has no key algorithm that mesh.yaml does not support',
      {c1: {cacerts: cacertsOf(filesOf(caOfP521, root))}, c2: byCsr},
      {keyAlgorithm: undefined},
    ],
    [
      'has no key algorithm if the certificate of one is unreadable',
      {c1: changed({'ca-cert.pem': 'broken'})},
      {keyAlgorithm: undefined},
    ],
    [
      'has no key algorithm if mesh.yaml has a cluster that was not read',
      {existing: declared('[{name: c1}, {name: west}]')},
      {keyAlgorithm: undefined},
    ],
    ['has the key algorithm if mesh.yaml has the same clusters', {existing: declared('[{name: c1}, {name: c2}]')}, {}],
    ['has the key algorithm of cacerts only', {c2: bySelf}, {}],
    [
      'has the only self-signed cluster as the signer',
      {inspected: [inspected('c1', bySelf)]},
      {
        ...{clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
        ...{keyAlgorithm: undefined, signer: {type: 'cluster', context: 'ctx-c1'}},
      },
    ],
    [
      'has the first of two clusters with one self-signed root as the signer',
      {c1: bySelf, c2: bySelf},
      {keyAlgorithm: undefined, signer: {type: 'cluster', context: 'ctx-c1'}},
    ],
    [
      'has no signer if two clusters have different self-signed roots',
      {inspected: [inspected('c1', bySelf), inspected('c2', {...bySelf, selfSigned: otherRoot.certificate.pem})]},
      {keyAlgorithm: undefined},
    ],
    ['has no signer if only one of them is self-signed', {c1: bySelf}, {}],
    [
      'has cert-manager as the signer if it manages cacerts everywhere',
      {c1: certManagerRuns(tls), c2: certManagerRuns(texts2)},
      {signer: {type: 'external', issuer: 'cert-manager'}},
    ],
    ['has no signer if cert-manager manages cacerts in one cluster only', {c1: certManagerRuns(tls)}, {}],
    [
      'has no signer if another tool than cert-manager manages cacerts',
      {
        inspected: [inspected('c1', {cacerts: cacertsOf(texts1, {owner: {kind: 'SealedSecret', name: 'cacerts'}})})],
      },
      {clusters: ['c1'], ownContexts: {c1: 'ctx-c1'}, networks: {c1: 'network1'}, uids: {c1: 'uid-c1'}},
    ],
    [
      'has the clusterNames that differ from the names',
      {
        inspected: [
          inspected('c1', runningAs('Kubernetes'), {givenName: 'c1'}),
          inspected('c2', runningAs('team/Prod_2.eu'), {givenName: 'c2'}),
        ],
      },
      {istioNames: {c1: 'Kubernetes', c2: 'team/Prod_2.eu'}},
    ],
    [
      'has the clusterName of the proxies if istiod has another one',
      {inspected: [inspected('c1', {istiod: {proxyClusterID: 'Kubernetes'}}, {givenName: 'c1'}), inspected('c2')]},
      {istioNames: {c1: 'Kubernetes'}},
    ],
    [
      'has a clusterName of two clusters for the first only',
      {
        inspected: [
          inspected('c1', runningAs('Kubernetes'), {givenName: 'c1'}),
          inspected('c2', runningAs('Kubernetes'), {givenName: 'c2'}),
        ],
      },
      {istioNames: {c1: 'Kubernetes'}},
    ],
    [
      'has no clusterName that mesh.yaml cannot have',
      {inspected: [inspected('c1', runningAs('two words'), {givenName: 'c1'}), inspected('c2')]},
      {},
    ],
    [
      'has istio-csr as the signer if it signs everywhere',
      {c1: byCsr, c2: byCsr},
      {keyAlgorithm: undefined, signer: {type: 'external', issuer: 'istio-csr'}},
    ],
    [
      'has the Kubernetes signer',
      {c1: {cacerts: 'absent', ...kubernetesSigner}, c2: {cacerts: 'absent', ...kubernetesSigner}},
      {
        keyAlgorithm: undefined,
        signer: {type: 'external', issuer: 'kubernetes-csr', signerName: 'issuers.example.com/mesh'},
      },
    ],
    [
      'has no signer if root-key.pem exists',
      {c1: byCsr, c2: byCsr, existing: {hasRootKey: true}},
      {keyAlgorithm: undefined},
    ],
    [
      'has no signer if mesh.yaml declares one',
      {c1: byCsr, c2: byCsr, existing: declared('[{name: c1}]', 'trust: {signer: {type: csr}}\n')},
      {keyAlgorithm: undefined},
    ],
  ])('%s', (_behaviour, change, expected) => {
    const merged = Object.entries({...all, ...expected}).filter(([, value]) => value !== undefined);
    expect(decide(change).declaration).toStrictEqual(Object.fromEntries(merged));
  });

  it('is empty if nothing can be adopted', () => {
    expect(decide({c1: {cacerts: 'absent'}, c2: {cacerts: 'absent'}}).declaration).toEqual({});
  });
});

it('reports the tool that manages cacerts, which also renews the CA', () => {
  const [first, second] = adoptableOf(decide({c1: {cacerts: cacertsOf(texts1, certManager)}}).clusters);
  expect([first?.keeper, second?.keeper]).toEqual(['cert-manager Certificate istio-ca', undefined]);
});

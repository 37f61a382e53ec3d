/** Facts for the plan of `install apply`: clusters that are ready for it, and deviations. */
import {MeshError} from '../../../src/domain/errors.js';
import {installYamlText} from '../../../src/domain/install/install-yaml.js';
import {sha256Hex} from '../../../src/domain/keys/keys.js';
import {liveDigest, recordObject, type InstallRecord} from '../../../src/domain/install/live.js';
import {renderInstall} from '../../../src/domain/install/render.js';
import {reportedVersion} from '../../../src/domain/istio/running-version.js';
import {cacertsName, networkLabel} from '../../../src/domain/istio/names.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import type {KubeObject, ObjectMeta} from '../../../src/domain/kube/object.js';
import {type CaFiles, caFileNames} from '../../../src/domain/ca/ca-files.js';
import {type CacertsSecret, readCacerts} from '../../../src/domain/trust/cacerts.js';
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import {known, type Observed} from '../../../src/domain/observed.js';
import {caMounts, caVolumes} from '../../helpers/ca-mount.js';
import type {InstalledCluster} from '../../../src/observe/installed-cluster.js';
import type {ApplyFacts, ApplyOptions, TargetFacts} from '../../../src/operations/install/decide-apply.js';
import {planApply} from '../../../src/operations/install/plan-apply.js';
import type {Rendering} from '../../../src/observe/renderings.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {loadedMesh} from '../certs/fixtures.js';

const root = await tinyRoot();
const [ca, otherCa] = await Promise.all([tinyClusterCa(root, 'c1'), tinyClusterCa(root, 'c1')]);
export const bundle = bundleOf(ca, [root]);
export const otherBundle = bundleOf(otherCa, [root]);

export const names = ['c1', 'c2', 'c3'] as const;
export type Name = (typeof names)[number];

/** The contents of mesh.yaml besides its clusters, and recorded UIDs that differ from the live ones. */
interface MeshChange {
  readonly yaml?: string;
  readonly uids?: Partial<Record<Name, string | undefined>>;
}

function meshOf({yaml = '', uids = {}}: MeshChange = {}): ApplyFacts['loaded'] {
  const recorded = {c1: 'uid-c1', c2: 'uid-c2', c3: 'uid-c3', ...uids};
  const clusters = names.map((name) => {
    const uid = recorded[name];
    const fields = [
      `name: ${name}`,
      `context: ctx-${name}`,
      'network: network1',
      ...(uid === undefined ? [] : [`uid: ${uid}`]),
    ];
    return `  - {${fields.join(', ')}}\n`;
  });
  return loadedMesh(
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\n${yaml}clusters:\n${clusters.join('')}`,
  );
}

/** Deviations in one cluster; by default nothing is installed, and it is ready for an installation. */
interface ClusterChange {
  readonly live?: Partial<InstalledCluster> | Observed<never>;
  readonly rendering?: Partial<Rendering>;
  readonly certificates?: TargetFacts['certificates'];
}

/** Deviations in a run. */
export interface RunChange extends ClusterChange {
  readonly mesh?: MeshChange;
  /** The version that `istioctl version` prints. */
  readonly istioctl?: string;
  /** The clusters of the run with their deviations; by default only c1. */
  readonly clusters?: Partial<Record<Name, ClusterChange>>;
  readonly options?: Partial<ApplyOptions>;
}

export const usualVersion = '1.31.0';

export function factsOf({mesh, istioctl = usualVersion, clusters, ...c1}: RunChange): ApplyFacts {
  const loaded = meshOf(mesh);
  const version = resolveVersion(loaded.mesh.istio.version ?? istioctl);
  const all = clusters ?? {c1};
  return {
    loaded,
    version: {known: version, source: 'istioctl'},
    istioctl: reportedVersion(istioctl),
    targets: names.flatMap((name) => {
      const one = all[name];
      return one === undefined ? [] : [targetOf(loaded, version, name, one)];
    }),
  };
}

function targetOf(
  loaded: ApplyFacts['loaded'],
  version: ReturnType<typeof resolveVersion>,
  name: Name,
  {live = {}, rendering, certificates = bundle}: ClusterChange,
): TargetFacts {
  const cluster = loaded.clusters.find((one) => one.name === name);
  if (!cluster) throw new Error(`no cluster ${name}`);
  const rendered = renderInstall(loaded.mesh, cluster, version, new Map());
  const path = `${name}/install.yaml`;
  const files = [{path, present: rendered.text, text: rendered.text}];
  return {
    rendering: {cluster, rendered, path, files, ...rendering},
    certificates,
    live: 'unknown' in live ? live : known({...readyCluster(name), ...(live as Partial<InstalledCluster>)}),
  };
}

/** Secret cacerts with these files, without undefined ones. */
export function cacertsOf({caCert, caKey, rootCert, certChain}: CaFiles): CacertsSecret {
  const texts = {
    [caFileNames.caCert]: caCert,
    [caFileNames.caKey]: caKey?.reveal(),
    [caFileNames.rootCert]: rootCert,
    [caFileNames.certChain]: certChain,
  };
  const data = Object.entries(texts).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, Buffer.from(text).toString('base64')] as const],
  );
  const metadata = {name: cacertsName, namespace: 'istio-system'};
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(data)};
  return readCacerts(secret, {now: new Date()});
}

/** A cluster that is ready for an installation. */
export function readyCluster(name: Name): InstalledCluster {
  return {
    context: `ctx-${name}`,
    uid: `uid-${name}`,
    kubernetesMinor: 34,
    namespace: namespaceOf({[networkLabel]: 'network1'}),
    cacerts: cacertsOf(bundle),
    mountedCa: cacertsOf(bundle),
    istiod: undefined,
    istiods: [],
    installed: [],
    record: undefined,
    recorded: [],
    gateways: known({objects: [], gatewayApi: [], services: []}),
  };
}

export function namespaceOf(labels: Record<string, string>): KubeObject {
  return {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'istio-system', labels}};
}

/** An istiod that istioctl installed from our document. */
export function istiodOf(version = usualVersion, change: Partial<ObjectMeta> = {}): DeploymentObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'istiod',
      namespace: 'istio-system',
      uid: 'uid-of-istiod',
      managedFields: [{manager: 'istio-operator', operation: 'Apply', time: '2026-01-01T00:00:00Z', fieldsV1: {}}],
      ...change,
      labels: {
        'install.operator.istio.io/owning-resource': 'kubectl-mesh',
        'operator.istio.io/managed': 'Reconcile',
        'operator.istio.io/component': 'Pilot',
        'istio.io/rev': 'default',
        ...change.labels,
      },
    },
    spec: {
      selector: {},
      template: {
        spec: {containers: [{name: 'discovery', image: `istio/pilot:${version}`, ...caMounts}], ...caVolumes()},
      },
    },
  };
}

/** An istiod that reads its CA from another source than Secret cacerts. */
export function istiodReading(volume: object, env: readonly object[] = []): DeploymentObject {
  const one = istiodOf();
  const containers = one.spec.template.spec.containers.map((container) => ({...container, env}));
  const spec = {...one.spec, template: {spec: {containers, ...caVolumes(volume)}}};
  return {...one, spec} as DeploymentObject;
}

/** A running istiod with this clusterName; undefined: it is in another object. */
export function istiodNamed(name: string | undefined): DeploymentObject {
  const variable = name === undefined ? {valueFrom: {configMapKeyRef: {name: 'x', key: 'x'}}} : {value: name};
  const container = {name: 'discovery', env: [{name: 'CLUSTER_ID', ...variable}]};
  return {...istiodOf(), spec: {selector: {}, template: {spec: {containers: [container]}}}};
}

/** The current install.yaml of c1, and its record after it was applied. */
const [rendered] = factsOf({}).targets.flatMap((target) =>
  target.rendering.rendered instanceof MeshError ? [] : [target.rendering.rendered],
);
if (!rendered) throw new Error('nothing is rendered');
export const {text} = rendered;
export const otherText = installYamlText({cluster: 'c1', istio: '1.31', schema: 'x'}, 'kind: IstioOperator\n');

/** The digest of objects of the default revision. */
export const digestOf = (objects: readonly KubeObject[]): string | undefined =>
  liveDigest(objects, {namespace: 'istio-system', revision: 'default', recorded: ['default']});

/** The state of the cluster after an installation; `record`: deviations in its record. */
export function installation(
  record: Partial<InstallRecord> = {},
  {istiod = istiodOf(), now = istiod}: {readonly istiod?: DeploymentObject; readonly now?: DeploymentObject} = {},
): Partial<InstalledCluster> {
  const left = {installYaml: sha256Hex(text), istioctl: usualVersion, live: digestOf([istiod]) ?? '', ...record};
  return {
    istiod: now,
    installed: [now],
    record: recordObject(left, {namespace: 'istio-system', revision: undefined}, undefined),
    recorded: ['default'],
  };
}

/** An installation by another tool; `c1` has nothing of ours. */
export function foreign(change: Partial<ObjectMeta>, version?: string): Partial<InstalledCluster> {
  const istiod = istiodOf(version, {
    ...change,
    labels: {'install.operator.istio.io/owning-resource': 'unknown', ...change.labels},
  });
  return {istiod, installed: [istiod]};
}

export const consent: ApplyOptions = {
  upgrade: false,
  forceVersion: false,
  takeOver: false,
  acceptUid: false,
  readinessTimeoutMs: 300_000,
};

export const planOf = (change: RunChange) => planApply(factsOf(change), {...consent, ...change.options});

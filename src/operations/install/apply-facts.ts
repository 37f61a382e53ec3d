/** What `install apply` looks at before it decides: the work directory, istioctl, and each cluster as it is now. */
import pMap from 'p-map';
import {MeshError} from '../../domain/errors.js';
import {ownerLabel} from '../../domain/install/installer.js';
import {installedKinds, recordName} from '../../domain/install/live.js';
import {installedRevision} from '../../domain/install/render.js';
import type {CaCertificates, CaInSecret} from '../../domain/install/cacerts-ready.js';
import {impersonationUnsupported} from '../../domain/install/istioctl-output.js';
import {saidVersion} from '../../domain/install/version-change.js';
import type {SaidVersion} from '../../domain/install/version-change.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {requireContext} from '../../domain/mesh/require.js';
import {observe} from '../../domain/observed.js';
import type {Observed} from '../../domain/observed.js';
import {caFileNames, caFilesOfSecret} from '../../domain/pki/ca-files.js';
import type {Deps} from '../../engine/deps.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import {loadMesh} from '../shared/load-mesh.js';
import type {LoadedMesh, MeshRequest} from '../shared/load-mesh.js';
import {readCaFiles} from '../shared/read-ca-files.js';
import type {ChosenVersion, Rendering} from './renderings.js';
import {chooseVersion, gatherRenderings} from './renderings.js';

/** A cluster as it is. */
export interface LiveFacts {
  readonly context: string;
  /** Of the namespace kube-system. */
  readonly uid: string;
  /** Of Kubernetes 1; undefined when the API server does not say. */
  readonly kubernetesMinor: number | undefined;
  /** Istio's namespace. */
  readonly namespace: KubeObject | undefined;
  readonly cacerts: CaInSecret | undefined;
  /** The Deployment of our revision. */
  readonly istiod: KubeObject | undefined;
  /** Metadata of everything that Istio's installers label. */
  readonly installed: readonly KubeObject[];
  /** The ConfigMap of the last `install apply`. */
  readonly record: KubeObject | undefined;
}

/** One cluster, in the work directory and as it is. */
export interface TargetFacts {
  readonly rendering: Rendering;
  readonly certificates: CaCertificates;
  readonly live: Observed<LiveFacts>;
}

/** Everything the plan is made from. */
export interface ApplyFacts {
  readonly loaded: LoadedMesh;
  readonly version: ChosenVersion;
  readonly istioctl: SaidVersion;
  readonly targets: readonly TargetFacts[];
}

/** Looks at everything, `concurrency` clusters at the same time. Throws `UNSUPPORTED_FLAG`, and `TOOL_MISSING` and `TOOL_OUTPUT` for istioctl. */
export async function gatherApply(
  request: MeshRequest & {readonly as?: string | undefined},
  concurrency: number,
  deps: Deps,
): Promise<ApplyFacts> {
  if (request.as !== undefined) throw impersonationUnsupported();
  const loaded = await loadMesh(deps, request);
  const {mesh, clusters} = loaded;
  const istioctl = saidVersion((await deps.istioctl.version()).version);
  const version = await chooseVersion(mesh, request.istioVersion, deps);
  const renderings = await gatherRenderings(mesh, clusters, version.known, deps);
  const targets = await pMap(
    renderings,
    async (rendering): Promise<TargetFacts> => {
      // The cluster first: credential plugins then ask in the order in which clusters are declared.
      const [live, {caCert, rootCert, certChain}] = await Promise.all([
        observe(() => gatherLive(mesh, rendering.cluster, deps)),
        readCaFiles(deps.workspace, rendering.cluster.name),
      ]);
      return {rendering, certificates: {caCert, rootCert, certChain}, live};
    },
    {concurrency: Math.max(1, concurrency)},
  );
  return {loaded, version, istioctl, targets};
}

async function gatherLive(mesh: Mesh, cluster: MeshCluster, {clusters}: Deps): Promise<LiveFacts> {
  const context = requireContext(cluster);
  const api = await clusters.open(context);
  const {namespace} = mesh.istio;
  const revision = installedRevision(mesh);
  const istiod = revision === undefined ? 'istiod' : `istiod-${revision}`;
  const [kubeSystem, kubernetesMinor, namespaceObject, secret, deployment, record, installed] = await Promise.all([
    api.get({apiVersion: 'v1', kind: 'Namespace', name: 'kube-system'}),
    gatherMinor(api),
    api.find({apiVersion: 'v1', kind: 'Namespace', name: namespace}),
    api.find({apiVersion: 'v1', kind: 'Secret', namespace, name: 'cacerts'}),
    api.find({apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: istiod}),
    gatherRecord(api, namespace, revision),
    gatherInstalled(api, namespace),
  ]);
  const {uid} = kubeSystem.metadata;
  if (uid === undefined) throw new MeshError('API_ERROR', `namespace kube-system of context "${context}" has no UID`);
  return {
    context,
    uid,
    kubernetesMinor,
    namespace: namespaceObject,
    cacerts: secret && caInSecret(secret),
    istiod: deployment,
    installed,
    record,
  };
}

/** The record of the last `install apply`. */
export function gatherRecord(
  api: KubeApi,
  namespace: string,
  revision: string | undefined,
): Promise<KubeObject | undefined> {
  return api.find({apiVersion: 'v1', kind: 'ConfigMap', namespace, name: recordName(revision)});
}

/** Metadata of everything that Istio's installers label, in Istio's namespace and cluster-wide. */
export async function gatherInstalled(api: KubeApi, namespace: string): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(
    installedKinds.map(async ({apiVersion, kind, scope}) => {
      const options = {labelSelector: ownerLabel, metadataOnly: true, ...(scope === 'namespace' && {namespace})};
      const {items} = await api.list({apiVersion, kind}, options).catch(emptyIfNotServed);
      return items.map(({metadata}): KubeObject => ({apiVersion, kind, metadata}));
    }),
  );
  return lists.flat();
}

/** An old Kubernetes does not serve every kind: then there is nothing of it. */
function emptyIfNotServed(thrown: unknown): {readonly items: readonly KubeObject[]} {
  if (thrown instanceof MeshError && thrown.code === 'NOT_FOUND') return {items: []};
  throw thrown;
}

async function gatherMinor(api: KubeApi): Promise<number | undefined> {
  const answer = (await api.raw('/version')) as {readonly minor?: unknown} | undefined;
  const minor = Number.parseInt(String(answer?.minor), 10);
  return Number.isNaN(minor) ? undefined : minor;
}

/** Only certificates: of the key nothing but its presence is looked at. */
function caInSecret(secret: KubeObject): CaInSecret {
  const data = (secret.data ?? {}) as Readonly<Record<string, string>>;
  const text = (key: string): string | undefined => {
    const value = data[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
  };
  const {caCert, rootCert, certChain, layout} = caFilesOfSecret(text, () => undefined);
  const key = layout === 'tls' ? 'tls.key' : caFileNames.caKey;
  return {caCert, rootCert, certChain, hasKey: (data[key] ?? '') !== ''};
}

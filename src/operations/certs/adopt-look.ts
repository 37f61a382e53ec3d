/**
 * Looks at one running cluster as far as `certs adopt` needs it. Secrets are read by name, and nothing is asked for that the
 * role `reader` of `access role` has no right to (domain/checks/rights.ts).
 */
import type {ControlPlaneFacts} from '../../domain/checks/facts.js';
import {isGoing, isIstiod, readControlPlanes} from '../../domain/checks/read/control-plane.js';
import type {ConfigMapObject, DeploymentObject} from '../../domain/kube/objects.js';
import {MeshError} from '../../domain/errors.js';
import {bundleKey, defaultBundleName, networkLabel} from '../../domain/istio/names.js';
import type {InspectOptions} from '../../domain/pki/inspect-ca.js';
import {printableLine} from '../../domain/printable.js';
import {cacertsName, readCacerts} from '../../domain/trust/cacerts.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import type {Clusters} from '../../tools/kubectl/api.js';
import {readUid} from '../trust/gather.js';

/** A running cluster. */
export interface RunningCluster {
  readonly uid: string;
  /** Every revision; at least one. */
  readonly controlPlanes: readonly [ControlPlaneFacts, ...ControlPlaneFacts[]];
  /** As the label of Istio's namespace says it, or else what proxies are told. */
  readonly network?: string;
  readonly cacerts: CacertsSecret | 'absent';
  /** The certificate that istiod made for itself (Secret istio-ca-secret); undefined: none. */
  readonly selfSigned: string | undefined;
  /** The bundle that workloads are given; undefined: none. */
  readonly bundle: string | undefined;
}

const v1 = (kind: string) => ({apiVersion: 'v1', kind});

/**
 * Looks. Throws what opening the context and reading throw, and `NOT_FOUND` where no istiod runs in the namespace.
 */
export async function lookAtRunning(
  clusters: Clusters,
  context: string,
  namespace: string,
  options: InspectOptions,
): Promise<RunningCluster> {
  const api = await clusters.open(context);
  const [uid, namespaces, cacerts, selfSigned, configMaps, deployments] = await Promise.all([
    readUid(api),
    api.list(v1('Namespace'), {fieldSelector: `metadata.name=${namespace}`, metadataOnly: true}),
    api.find({...v1('Secret'), namespace, name: cacertsName}),
    api.find({...v1('Secret'), namespace, name: 'istio-ca-secret'}),
    api.list<ConfigMapObject>(v1('ConfigMap'), {namespace}),
    api.list<DeploymentObject>({apiVersion: 'apps/v1', kind: 'Deployment'}, {namespace, labelSelector: 'app=istiod'}),
  ]);
  const ownNamespace = namespaces.items.find(({metadata}) => metadata.name === namespace);
  const istiods = deployments.items.filter((one) => isIstiod(one) && !isGoing(one));
  const [first, ...others] = readControlPlanes({
    deployments: istiods,
    configMaps: configMaps.items,
    podsOf: () => [],
  });
  if (!first) throw noIstiod(context, namespace, ownNamespace?.metadata.annotations);
  const certificate = (selfSigned?.data as Readonly<Record<string, string>> | undefined)?.['ca-cert.pem'] ?? '';
  const network = ownNamespace?.metadata.labels?.[networkLabel] ?? first.network;
  return {
    uid,
    controlPlanes: [first, ...others],
    ...(network !== undefined && network !== '' && {network}),
    cacerts: cacerts ? readCacerts(cacerts, options) : 'absent',
    // Only the certificate: the key beside it is the root's, and nobody's business here.
    selfSigned: certificate === '' ? undefined : Buffer.from(certificate, 'base64').toString('utf8'),
    bundle: configMaps.items.find(({metadata}) => metadata.name === defaultBundleName)?.data?.[bundleKey],
  };
}

/** On the namespace of a remote cluster: which clusters' istiods look after it (istio.io: multicluster, primary-remote). */
const controlledBy = 'topology.istio.io/controlPlaneClusters';

function noIstiod(
  context: string,
  namespace: string,
  annotations: Readonly<Record<string, string>> | undefined,
): MeshError {
  const primary = annotations?.[controlledBy];
  const what = `no istiod runs in namespace ${namespace} of context "${context}"`;
  if (primary !== undefined) {
    return new MeshError('NOT_FOUND', `${what}: it is a remote of ${printableLine(primary)}, and has no CA to adopt`, {
      hints: ['declare it in mesh.yaml: its name, context, role: remote and primary: NAME'],
    });
  }
  return new MeshError('NOT_FOUND', `${what}: there is no CA to adopt`, {
    hints: [
      'name the namespace of istiod with --istio-namespace',
      'a remote of another primary is declared in mesh.yaml: role: remote, primary: NAME',
    ],
  });
}

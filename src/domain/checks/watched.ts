/** Which objects show that a fact changed: what `verify --wait` watches. */
import {rbacKinds} from '../access/rbac.js';
import {remoteSecretLabel} from '../access/remote-credentials.js';
import {defaultBundleName, networkLabel} from '../istio/names.js';
import {factOrigins} from './facts.js';
import type {ClusterFactValues, FactKey, Facts} from './facts.js';
import type {Limits} from './needs.js';
import {leftOutBy} from './needs.js';

/** Objects of one cluster that are watched together. */
export interface WatchedObjects {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent: of the whole cluster. */
  readonly namespace?: string;
  /** Only the objects of this name; rights that are given by name suffice then. */
  readonly name?: string;
  /** Only the objects with this label. */
  readonly labelSelector?: string;
}

/** What the table below cannot know before a cluster was looked at. */
export interface WatchedPlace {
  readonly istioNamespace: string;
  /** Names of the ConfigMaps into which its istiods write the trust bundle. */
  readonly bundleNames: readonly string[];
}

type Objects = (place: WatchedPlace) => readonly WatchedObjects[];

const inIstioNamespace =
  (apiVersion: string, kind: string, name?: string): Objects =>
  ({istioNamespace}) => [{apiVersion, kind, namespace: istioNamespace, ...(name !== undefined && {name})}];
const ofCluster =
  (apiVersion: string, kind: string, labelSelector?: string): Objects =>
  () => [{apiVersion, kind, ...(labelSelector !== undefined && {labelSelector})}];

const pods = inIstioNamespace('v1', 'Pod');
const deployments = inIstioNamespace('apps/v1', 'Deployment');
const configMaps = inIstioNamespace('v1', 'ConfigMap');
const cacerts = inIstioNamespace('v1', 'Secret', 'cacerts');
const selfSigned = inIstioNamespace('v1', 'Secret', 'istio-ca-secret');
const namespaces = ofCluster('v1', 'Namespace');
const webhooksOf = (kind: string): Objects => ofCluster('admissionregistration.k8s.io/v1', kind);
const mutatingWebhooks = webhooksOf('MutatingWebhookConfiguration');
const validatingWebhooks = webhooksOf('ValidatingWebhookConfiguration');
const networkServices = ofCluster('v1', 'Service', networkLabel);
const networkGateways = ofCluster('gateway.networking.k8s.io/v1', 'Gateway', networkLabel);
const remoteSecrets: Objects = ({istioNamespace}) => [
  {apiVersion: 'v1', kind: 'Secret', namespace: istioNamespace, labelSelector: remoteSecretLabel},
];
const bundles: Objects = ({bundleNames}) => bundleNames.map((name) => ({apiVersion: 'v1', kind: 'ConfigMap', name}));

/** What a fact is read from. */
interface ReadFrom {
  readonly objects: readonly Objects[];
  /** Whether nothing else changes it. */
  readonly isAll: boolean;
}
const only = (...objects: readonly Objects[]): ReadFrom => ({objects, isAll: true});
const amongOthers = (...objects: readonly Objects[]): ReadFrom => ({objects, isAll: false});

/**
 * The objects that facts of the API server are read from. What no line names is asked for again while it matters, and so
 * is what is also read from something that is no object, or from objects that change all the time (the pods of workloads).
 */
const readFrom: Partial<Readonly<Record<FactKey, ReadFrom>>> = {
  clusterUid: only(namespaces),
  rbac: only(...rbacKinds.map((kind) => ofCluster('rbac.authorization.k8s.io/v1', kind))),
  remoteCredentials: only(remoteSecrets),
  cacerts: only(cacerts),
  cacertsContents: only(cacerts),
  restartOnPush: only(cacerts, selfSigned, deployments, configMaps),
  selfSignedRoot: only(selfSigned),
  pushedTrust: only(cacerts),
  // And from the journal, a file.
  journalHeads: amongOthers(cacerts, configMaps),
  bundles: only(bundles, deployments),
  liveRoots: only(deployments, pods, configMaps),
  proxyRoots: amongOthers(deployments, configMaps),
  webhooks: only(mutatingWebhooks, validatingWebhooks),
  namespaces: only(namespaces),
  controlPlanes: only(deployments, pods, configMaps),
  gateways: only(deployments, pods),
  ztunnelPods: only(pods),
  // Services that meshNetworks names carry no label, and their pods may be anywhere.
  networkGateways: amongOthers(networkServices, networkGateways, deployments, pods, configMaps),
};
/** Who can be asked, for every fact of a running istiod. */
const istiods = amongOthers(deployments, pods);

/** The names of the bundles of a cluster, as far as its control planes are known. */
export function bundleNamesIn({controlPlanes}: Facts<ClusterFactValues>): readonly string[] {
  const found = controlPlanes && 'value' in controlPlanes ? controlPlanes.value : [];
  const names = found.flatMap(({bundleName}) => bundleName ?? []);
  return [...new Set(names.length === 0 ? [defaultBundleName] : names)];
}

function sourceOf(key: FactKey): ReadFrom | undefined {
  return factOrigins[key].from === 'live istiod' ? istiods : readFrom[key];
}

/**
 * What shows every change of a fact: the files it is read from, the objects, or nothing. Which CA an istiod has loaded, for
 * one, changes no object.
 */
export function shownBy(key: FactKey): 'files' | 'objects' | 'nothing' {
  if (factOrigins[key].from === 'work directory') return 'files';
  return sourceOf(key)?.isAll === true ? 'objects' : 'nothing';
}

/** The objects that tell of changes of a fact. `--no-secrets` takes some facts from files instead of a Secret. */
export function objectsBehind(key: FactKey, limits: Limits, place: WatchedPlace): readonly WatchedObjects[] {
  if (leftOutBy(key, limits) !== undefined) return [];
  const objects = sourceOf(key)?.objects ?? [];
  return objects.flatMap((of) => of(place)).filter(({kind}) => !limits.noSecrets || kind !== 'Secret');
}

/** A name for objects that are watched together. */
export function nameOfWatched({apiVersion, kind, namespace, name, labelSelector}: WatchedObjects): string {
  return [apiVersion, kind, namespace ?? '', name ?? '', labelSelector ?? ''].join(' ');
}

/** Which objects show that a fact changed: what `verify --wait` watches. */
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
  (apiVersion: string, kind: string): Objects =>
  () => [{apiVersion, kind}];

const pods = inIstioNamespace('v1', 'Pod');
const deployments = inIstioNamespace('apps/v1', 'Deployment');
const configMaps = inIstioNamespace('v1', 'ConfigMap');
const cacerts = inIstioNamespace('v1', 'Secret', 'cacerts');
const selfSigned = inIstioNamespace('v1', 'Secret', 'istio-ca-secret');
const namespaces = ofCluster('v1', 'Namespace');
const bundles: Objects = ({bundleNames}) => bundleNames.map((name) => ({apiVersion: 'v1', kind: 'ConfigMap', name}));

/**
 * The objects that facts of the API server are read from. What no line names (an answer of the API server that is no
 * object) is asked for again while it matters.
 */
const readFrom: Partial<Readonly<Record<FactKey, readonly Objects[]>>> = {
  clusterUid: [namespaces],
  cacerts: [cacerts],
  caOrigin: [cacerts],
  restartOnPush: [cacerts, selfSigned, deployments, configMaps],
  selfSignedRoot: [selfSigned],
  pushedTrust: [cacerts],
  bundles: [bundles, deployments],
  namespaces: [namespaces],
  controlPlanes: [deployments, pods, configMaps],
  gateways: [deployments, pods],
};
/** Who can be asked, for every fact of a running istiod. */
const istiods: readonly Objects[] = [deployments, pods];

/** istiod's own choice (istio/istio pilot/pkg/features/pilot.go, PILOT_CA_CERT_CONFIGMAP). */
const defaultBundleName = 'istio-ca-root-cert';

/** The names of the bundles of a cluster, as far as its control planes are known. */
export function bundleNamesIn({controlPlanes}: Facts<ClusterFactValues>): readonly string[] {
  const found = controlPlanes && 'value' in controlPlanes ? controlPlanes.value : [];
  const names = found.flatMap(({bundleName}) => bundleName ?? []);
  return [...new Set(names.length === 0 ? [defaultBundleName] : names)];
}

/** Whether watches show each change of a fact: of one that is read from files those of files, else those of its objects. */
export function shownBy(key: FactKey): 'files' | 'objects' | 'nothing' {
  const {from} = factOrigins[key];
  if (from === 'work directory') return 'files';
  // Which CA an istiod has loaded changes no object.
  return from === 'live istiod' || readFrom[key] === undefined ? 'nothing' : 'objects';
}

/** The objects that tell of changes of a fact. `--no-secrets` takes some facts from files instead of a Secret. */
export function objectsBehind(key: FactKey, limits: Limits, place: WatchedPlace): readonly WatchedObjects[] {
  if (leftOutBy(key, limits) !== undefined) return [];
  const objects = factOrigins[key].from === 'live istiod' ? istiods : (readFrom[key] ?? []);
  return objects.flatMap((of) => of(place)).filter(({kind}) => !limits.noSecrets || kind !== 'Secret');
}

/** A name for objects that are watched together. */
export function nameOfWatched({apiVersion, kind, namespace, name}: WatchedObjects): string {
  return [apiVersion, kind, namespace ?? '', name ?? ''].join(' ');
}

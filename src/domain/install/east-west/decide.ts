/** What a cluster needs, besides istioctl, for its east-west gateway. Pure. */
import {isIP} from 'node:net';
import {type ErrorReport, problem} from '../../errors.js';
import {addressesOf, nodesAddress} from '../../istio/gateway-address.js';
import {features, hasFeature} from '../../istio/features.js';
import {groupOf} from '../../kube/kinds.js';
import {managedByLabel} from '../../kube/manager.js';
import {keptMetadata, type KubeObject} from '../../kube/object.js';
import type {ServiceObject} from '../../kube/objects.js';
import {describeRef, fieldManager, refOf} from '../../kube/paths.js';
import {includesFields, isTree, mergeTrees} from '../../tree.js';
import {installerLabels} from '../ownership.js';
import type {EastWestGateway} from './choose.js';
import {eastWestName, type EastWestKind} from './kind.js';
import {gatewayApiGroup} from './resource.js';

const {revision: revisionLabel} = installerLabels;

/** What a cluster has of a gateway. */
export interface LiveGateways {
  /** The objects with the names that this program uses: the cross-network Gateway and the Kubernetes Gateway. */
  readonly objects: readonly KubeObject[];
  /** The versions of Kubernetes Gateways that the cluster serves; empty without the Gateway API. */
  readonly gatewayApi: readonly string[];
  /** The Services with the labels of the wanted gateway. */
  readonly services: readonly ServiceObject[];
}

/** The change to a cluster. */
export interface GatewayChange {
  /** The objects to create, or to replace at their resourceVersion. */
  readonly writes: readonly KubeObject[];
  /** Objects of this program that are no longer wanted. */
  readonly removes: readonly KubeObject[];
  /** The addresses for other networks. */
  readonly addresses: readonly string[];
}

/** Decides the change. `wanted`: absent in a mesh with one network. An object of another tool that is as wanted stays its own. */
export function decideGateways(live: LiveGateways, wanted: EastWestGateway | undefined): GatewayChange {
  const objects = wanted?.objects ?? [];
  return {
    writes: objects.flatMap((object) => {
      const existing = live.objects.find((one) => isSameObject(one, object));
      if (existing === undefined) return [object];
      return isApplied(existing, object) ? [] : [replacement(existing, object)];
    }),
    removes: live.objects.filter((one) => isOwn(one) && !objects.some((object) => isSameObject(one, object))),
    addresses: wanted === undefined ? [] : gatewayAddresses(wanted.kind, live.services),
  };
}

/** Returns the addresses of a gateway's Services that istiod uses, without those of Services that are being deleted. */
export function gatewayAddresses(
  {serviceNames}: Pick<EastWestKind, 'serviceNames'>,
  services: readonly ServiceObject[],
): readonly string[] {
  return services
    .filter(({metadata}) => serviceNames.includes(metadata.name) && metadata.deletionTimestamp === undefined)
    .flatMap(addressesOf);
}

/** The reasons not to apply the gateway: the Gateway API is missing, or an object of another tool is in its place. */
export function refuseGateways(
  cluster: string,
  live: LiveGateways,
  wanted: EastWestGateway | undefined,
  {takeOver}: {readonly takeOver: boolean},
): readonly ErrorReport[] {
  if (wanted === undefined) return [];
  const foreign = live.objects.filter((one) =>
    wanted.objects.some((object) => isSameObject(one, object) && !isOwn(one) && !isApplied(one, object)),
  );
  return [
    ...refuseUnserved(cluster, live, wanted),
    ...refuseChart(cluster, live, wanted),
    ...(takeOver ? [] : foreign).map((one) =>
      problem(
        'FOREIGN_OWNER',
        `${describeRef(refOf(one))} in ${cluster} was not created by kubectl mesh, and differs from the one to apply`,
        'delete it, or use --take-over to replace it',
      ),
    ),
  ];
}

/** A Kubernetes Gateway requires that the cluster serves its version. */
function refuseUnserved(
  cluster: string,
  {gatewayApi}: LiveGateways,
  {kind: {needsGatewayApi}, objects}: EastWestGateway,
): readonly ErrorReport[] {
  const [missing] = objects.filter(
    ({apiVersion}) =>
      groupOf(apiVersion) === gatewayApiGroup && !gatewayApi.some((one) => apiVersion.endsWith(`/${one}`)),
  );
  if (needsGatewayApi === undefined || missing === undefined) return [];
  const serves = gatewayApi.length === 0 ? '' : `, only ${gatewayApi.join(', ')}`;
  return [
    problem(
      'GATEWAY_API_MISSING',
      `${cluster} does not serve Gateways of ${missing.apiVersion}${serves}: ${needsGatewayApi.because} requires them`,
      `install the custom resource definitions of the Gateway API (gateway-api.sigs.k8s.io/guides)${needsGatewayApi.instead === undefined ? '' : `, ${needsGatewayApi.instead}`}`,
    ),
  ];
}

/**
 * A gateway of Istio's Helm chart, which sets no label of an installer. istioctl cannot replace it: the selectors of its Deployment
 * differ, and cannot be changed (1.31.0:manifests/charts/gateway/templates/deployment.yaml).
 */
function refuseChart(
  cluster: string,
  {services}: LiveGateways,
  {kind: {component}}: EastWestGateway,
): readonly ErrorReport[] {
  const chart = services.find(
    ({metadata: {name, labels = {}}}) => name === eastWestName && labels[installerLabels.owner] === undefined,
  );
  if (component === undefined || chart === undefined) return [];
  return [
    problem(
      'FOREIGN_OWNER',
      `${describeRef(refOf(chart))} in ${cluster} was not installed by istioctl, which cannot replace its Deployment`,
      `uninstall that gateway first, or keep it: disable ${eastWestName} in an overlay (docs/install.md)`,
    ),
  ];
}

/** Returns the addresses that istiod of this version cannot use. */
export function unusableAddresses({place}: EastWestGateway, addresses: readonly string[]): readonly string[] {
  return hasFeature(place.version, 'gatewayHostname')
    ? []
    : addresses.filter((address) => isIP(address) === 0 && address !== nodesAddress);
}

/** The version from which istiod resolves hostnames. */
export const hostnamesFrom = features.gatewayHostname.from;

function isOwn({metadata: {labels = {}}}: KubeObject): boolean {
  return labels[managedByLabel] === fieldManager;
}

/** Whether two objects have the same kind and name; the version of an API does not identify an object. */
function isSameObject(one: KubeObject, other: KubeObject): boolean {
  return (
    groupOf(one.apiVersion) === groupOf(other.apiVersion) &&
    one.kind === other.kind &&
    one.metadata.name === other.metadata.name
  );
}

/** Whether an object has every label and field of the wanted one, and its revision. API servers add defaults. */
function isApplied(existing: KubeObject, {metadata, spec}: KubeObject): boolean {
  const labels = existing.metadata.labels ?? {};
  const wanted = without(metadata.labels, managedByLabel);
  return (
    includesFields(labels, wanted) &&
    labels[revisionLabel] === wanted[revisionLabel] &&
    includesFields(existing.spec, spec)
  );
}

/** The wanted object in place of an existing one, whose other fields and metadata stay. */
function replacement(existing: KubeObject, object: KubeObject): KubeObject {
  const {resourceVersion} = existing.metadata;
  const kept = keptMetadata(existing.metadata);
  const spec = isTree(existing.spec) && isTree(object.spec) ? mergeTrees(existing.spec, object.spec) : object.spec;
  return {
    ...object,
    metadata: {
      ...kept,
      ...object.metadata,
      labels: {...without(kept.labels, revisionLabel), ...object.metadata.labels},
      ...(resourceVersion === undefined ? {} : {resourceVersion}),
    },
    spec,
  };
}

function without(labels: Readonly<Record<string, string>> = {}, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== key));
}

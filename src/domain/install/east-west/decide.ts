/** What a cluster needs, besides istioctl, for its east-west gateway. Pure. */
import {isIP} from 'node:net';
import {type ErrorReport, problem} from '../../errors.js';
import {addressesOf, nodesAddress} from '../../istio/gateway-address.js';
import {features, hasFeature} from '../../istio/features.js';
import {groupOf} from '../../kube/kinds.js';
import {managedByLabel} from '../../kube/manager.js';
import {keptMetadata, type KubeObject} from '../../kube/object.js';
import type {ServiceObject} from '../../kube/objects.js';
import {describeRef, refOf} from '../../kube/paths.js';
import {includesFields} from '../../tree.js';
import type {EastWestGateway} from './choose.js';
import {owner} from './kind.js';
import {gatewayApiGroup} from './resource.js';

/** What a cluster has of a gateway. */
export interface LiveGateways {
  /** The objects with the names that this program uses: the cross-network Gateway and the Kubernetes Gateway. */
  readonly objects: readonly KubeObject[];
  /** Whether the cluster serves the Gateway API. */
  readonly servesGatewayApi: boolean;
  /** The Services of the wanted gateway. */
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

/** Decides the change. `wanted`: absent in a mesh with one network. */
export function decideGateways(live: LiveGateways, wanted: EastWestGateway | undefined): GatewayChange {
  const objects = wanted?.objects ?? [];
  return {
    writes: objects.flatMap((object) => {
      const existing = live.objects.find((one) => isSameObject(one, object));
      if (existing === undefined) return [object];
      return isApplied(existing, object) ? [] : [replacement(existing, object)];
    }),
    removes: live.objects.filter((one) => isOwn(one) && !objects.some((object) => isSameObject(one, object))),
    addresses: live.services.flatMap(addressesOf),
  };
}

/** The reasons not to apply the gateway: the Gateway API is missing, or another tool created an object that differs. */
export function refuseGateways(
  cluster: string,
  live: LiveGateways,
  wanted: EastWestGateway | undefined,
  {takeOver}: {readonly takeOver: boolean},
): readonly ErrorReport[] {
  if (wanted === undefined) return [];
  const needsApi = wanted.objects.some(({apiVersion}) => groupOf(apiVersion) === gatewayApiGroup);
  const foreign = live.objects.filter(
    (one) =>
      !isOwn(one) &&
      wanted.objects.some((object) => isSameObject(one, object) && !includesFields(one.spec, object.spec)),
  );
  return [
    ...(needsApi && !live.servesGatewayApi
      ? [
          problem(
            'GATEWAY_API_MISSING',
            `${cluster} does not serve the Gateway API, which topology.gateway requires`,
            'install the custom resource definitions of the Gateway API (gateway-api.sigs.k8s.io/guides), or set topology.gateway to istio',
          ),
        ]
      : []),
    ...(takeOver
      ? []
      : foreign.map((one) =>
          problem(
            'FOREIGN_OWNER',
            `${describeRef(refOf(one))} in ${cluster} was not created by kubectl mesh, and differs from the one to apply`,
            'delete it, or use --take-over to replace it',
          ),
        )),
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
  return labels[managedByLabel] === owner;
}

/** Whether two objects have the same kind and name; the version of an API does not identify an object. */
function isSameObject(one: KubeObject, other: KubeObject): boolean {
  return (
    groupOf(one.apiVersion) === groupOf(other.apiVersion) &&
    one.kind === other.kind &&
    one.metadata.name === other.metadata.name
  );
}

/** Whether an object has every label and field of the wanted one; API servers add defaults. */
function isApplied(existing: KubeObject, {metadata, spec}: KubeObject): boolean {
  return includesFields(existing.metadata.labels ?? {}, metadata.labels ?? {}) && includesFields(existing.spec, spec);
}

function replacement(existing: KubeObject, object: KubeObject): KubeObject {
  const {resourceVersion} = existing.metadata;
  const kept = keptMetadata(existing.metadata);
  const labels = {...kept.labels, ...object.metadata.labels};
  return {
    ...object,
    metadata: {...kept, ...object.metadata, labels, ...(resourceVersion === undefined ? {} : {resourceVersion})},
  };
}

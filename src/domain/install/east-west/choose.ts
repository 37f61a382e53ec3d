import {MeshError} from '../../errors.js';
import {features, hasFeature} from '../../istio/features.js';
import type {KnownVersion} from '../../istio/versions.js';
import {managedByLabel} from '../../kube/manager.js';
import type {KubeObject} from '../../kube/object.js';
import {fieldManager} from '../../kube/paths.js';
import type {MeshTopology} from '../../mesh/mesh.js';
import {componentKind} from './component.js';
import {ingressKind} from './ingress.js';
import type {EastWestKind, GatewayPlace} from './kind.js';
import {ambientResourceKind, sidecarResourceKind} from './resource.js';

/** The gateway of one cluster. */
export interface EastWestGateway {
  readonly kind: EastWestKind;
  readonly place: GatewayPlace;
  /** What `install apply` applies after istioctl. */
  readonly objects: readonly KubeObject[];
}

/**
 * Returns the gateway of a cluster in a mesh with several networks. Throws `USAGE` if `topology.gateway` requires a later
 * version of Istio. `isAmbient`: the installation includes ztunnel.
 */
export function eastWestGateway(
  place: Omit<GatewayPlace, 'version'>,
  known: KnownVersion,
  {gateway}: MeshTopology,
  isAmbient: boolean,
): EastWestGateway {
  const kind = kindFor(known, gateway, isAmbient);
  const own = {...place, version: known.version};
  return {kind, place: own, objects: kind.objects(own).map(asOwn)};
}

function kindFor({version, text}: KnownVersion, gateway: MeshTopology['gateway'], isAmbient: boolean): EastWestKind {
  if (isAmbient && hasFeature(version, 'ambientNetworks')) return ambientResourceKind;
  if (gateway === 'istio') return hasFeature(version, 'networkLabel') ? componentKind : ingressKind;
  if (hasFeature(version, 'passthroughListener')) return sidecarResourceKind;
  const {from} = features.passthroughListener;
  throw new MeshError('USAGE', `topology.gateway gateway-api requires Istio ${from} or later, not ${text}`, {
    hints: ['set a later istio.version in mesh.yaml, or topology.gateway to istio'],
  });
}

/** Marks an object as this program's own, which it may change and delete. */
function asOwn(object: KubeObject): KubeObject {
  const {metadata} = object;
  return {...object, metadata: {...metadata, labels: {...metadata.labels, [managedByLabel]: fieldManager}}};
}

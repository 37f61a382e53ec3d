/** Policies of others that can prevent requests between the pods of `verify --traffic`. */
import type {SuspectPolicy} from '../../domain/facts/facts.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {AuthorizationPolicyObject, PeerAuthenticationObject} from '../../domain/kube/objects.js';
import {hasTrafficLabels, trafficNamespace, trafficPort} from '../../domain/traffic/names.js';
import type {KubeApi} from '../../tools/kubectl/api.js';

const apiVersion = 'security.istio.io/v1beta1';

/**
 * Reads them: AuthorizationPolicies of the mesh and of the namespace, and PeerAuthentications of the namespace, which take precedence over
 * those of the mesh. Throws what reading throws.
 */
export async function suspectPolicies(api: KubeApi, istioNamespace: string): Promise<readonly SuspectPolicy[]> {
  const authorization = (namespace: string) =>
    api.list<AuthorizationPolicyObject>({apiVersion, kind: 'AuthorizationPolicy'}, {namespace});
  const [ofMesh, ofNamespace, peers] = await Promise.all([
    authorization(istioNamespace),
    authorization(trafficNamespace),
    api.list<PeerAuthenticationObject>({apiVersion, kind: 'PeerAuthentication'}, {namespace: trafficNamespace}),
  ]);
  return [
    ...[...ofMesh.items, ...ofNamespace.items]
      .filter(mayDeny)
      .map((object) => ({kind: 'AuthorizationPolicy', name: nameOf(object)}) as const),
    ...peers.items
      .filter((object) => !hasTrafficLabels(object) && endsMutualTls(object))
      .map((object) => ({kind: 'PeerAuthentication', name: nameOf(object)}) as const),
  ];
}

function nameOf({metadata: {namespace = '', name}}: KubeObject): string {
  return `${namespace}/${name}`;
}

/**
 * Whether a policy applies to all pods of its namespace, or of the mesh, and can deny what the policy of these pods allows: one that
 * allows cannot (istio.io: reference/config/security/authorization-policy).
 */
function mayDeny({spec = {}}: AuthorizationPolicyObject): boolean {
  const {action = 'ALLOW', selector, targetRef, targetRefs} = spec;
  return ['DENY', 'CUSTOM'].includes(action) && [selector, targetRef, targetRefs].every((one) => one === undefined);
}

/** Whether pods accept plain text only, at least on their port (istio.io: reference/config/security/peer_authentication). */
function endsMutualTls({spec = {}}: PeerAuthenticationObject): boolean {
  const ofPort = spec.portLevelMtls?.[String(trafficPort)]?.mode;
  return (ofPort ?? spec.mtls?.mode) === 'DISABLE';
}

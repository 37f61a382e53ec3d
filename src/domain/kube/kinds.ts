import {MeshError} from '../errors.js';

/** A kind's name in API paths and RBAC rules. */
export interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Identifies a kind. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

const namespaced = (plural: string): Resource => ({plural, namespaced: true});
const clusterWide = (plural: string): Resource => ({plural, namespaced: false});

/**
 * Every kind that this program reads or writes, by API group and kind. A table instead of discovery, which would cost each
 * command several requests: plurals of served kinds never change (Kubernetes API conventions, "Types (Kinds)").
 */
const resources: Readonly<Record<string, Resource>> = {
  '/Namespace': clusterWide('namespaces'),
  '/Node': clusterWide('nodes'),
  '/Secret': namespaced('secrets'),
  '/ConfigMap': namespaced('configmaps'),
  '/Pod': namespaced('pods'),
  '/Service': namespaced('services'),
  '/ServiceAccount': namespaced('serviceaccounts'),
  '/Endpoints': namespaced('endpoints'),
  '/Event': namespaced('events'),
  'events.k8s.io/Event': namespaced('events'),
  'discovery.k8s.io/EndpointSlice': namespaced('endpointslices'),
  'apps/Deployment': namespaced('deployments'),
  'apps/ReplicaSet': namespaced('replicasets'),
  'apps/DaemonSet': namespaced('daemonsets'),
  'apps/StatefulSet': namespaced('statefulsets'),
  'batch/Job': namespaced('jobs'),
  'autoscaling/HorizontalPodAutoscaler': namespaced('horizontalpodautoscalers'),
  'policy/PodDisruptionBudget': namespaced('poddisruptionbudgets'),
  'rbac.authorization.k8s.io/Role': namespaced('roles'),
  'rbac.authorization.k8s.io/RoleBinding': namespaced('rolebindings'),
  'rbac.authorization.k8s.io/ClusterRole': clusterWide('clusterroles'),
  'rbac.authorization.k8s.io/ClusterRoleBinding': clusterWide('clusterrolebindings'),
  'authorization.k8s.io/SelfSubjectAccessReview': clusterWide('selfsubjectaccessreviews'),
  // A subresource of service accounts.
  'authentication.k8s.io/TokenRequest': namespaced('serviceaccounts/token'),
  'authentication.k8s.io/TokenReview': clusterWide('tokenreviews'),
  'authentication.k8s.io/SelfSubjectReview': clusterWide('selfsubjectreviews'),
  'apiextensions.k8s.io/CustomResourceDefinition': clusterWide('customresourcedefinitions'),
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': clusterWide('mutatingwebhookconfigurations'),
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': clusterWide('validatingwebhookconfigurations'),
  'coordination.k8s.io/Lease': namespaced('leases'),
  'networking.k8s.io/NetworkPolicy': namespaced('networkpolicies'),
  'networking.istio.io/Gateway': namespaced('gateways'),
  'networking.istio.io/EnvoyFilter': namespaced('envoyfilters'),
  'networking.istio.io/VirtualService': namespaced('virtualservices'),
  'networking.istio.io/DestinationRule': namespaced('destinationrules'),
  'networking.istio.io/ServiceEntry': namespaced('serviceentries'),
  'networking.istio.io/WorkloadEntry': namespaced('workloadentries'),
  'security.istio.io/PeerAuthentication': namespaced('peerauthentications'),
  'security.istio.io/AuthorizationPolicy': namespaced('authorizationpolicies'),
  'gateway.networking.k8s.io/Gateway': namespaced('gateways'),
  'install.istio.io/IstioOperator': namespaced('istiooperators'),
  'certificates.k8s.io/ClusterTrustBundle': clusterWide('clustertrustbundles'),
  'cert-manager.io/Certificate': namespaced('certificates'),
};

/** Returns the API group of an apiVersion; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** Returns the resource of a kind. Throws `INTERNAL` for a kind that is not in the table; add it there. */
export function resourceOf({apiVersion, kind}: KindRef): Resource {
  const resource = resources[`${groupOf(apiVersion)}/${kind}`];
  if (!resource) throw new MeshError('INTERNAL', `no API path is known for ${apiVersion} ${kind}`);
  return resource;
}

/** Formats a resource for kubectl: `pods/portforward`, `deployments.apps`. */
export function qualifiedResource({
  group = '',
  resource,
}: {
  readonly group?: string;
  readonly resource: string;
}): string {
  return group === '' ? resource : `${resource}.${group}`;
}

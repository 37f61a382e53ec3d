/**
 * Who is meant to reach the CA key: those without whom neither Kubernetes nor Istio works, those who administer the whole
 * cluster by Kubernetes' own groups, who got the operator's rights of this program, and whom mesh.yaml names.
 */
import {isGivenRole} from './role-manifests.js';
import type {AccessPath} from './access-paths.js';
import type {Grant} from '../kube/rbac.js';
import {subjectId, type Subject} from '../kube/subjects.js';

/** What is known of a mesh that decides who is expected. */
export interface Expectations {
  /** Istio's. */
  readonly namespace: string;
  /** Declared revisions of the control plane. */
  readonly revisions: readonly string[];
  /** `access.expected` of mesh.yaml: {@link subjectId}s. */
  readonly declared: readonly string[];
  /** The Secret that a signer of type `cluster` reads. */
  readonly signerSecret?: string;
}

/**
 * Why a way is expected; undefined where it is not. What is expected of a subject by its role is so only through the binding
 * that gives that role: the same subject through another binding is a finding.
 */
export function whyExpected(reach: AccessPath, expectations: Expectations): string | undefined {
  const {subject, grants} = reach;
  const id = subjectId(subject);
  if (expectations.declared.includes(id)) return 'declared in mesh.yaml';
  const own = administrators[id] ?? ofIstio(reach, expectations);
  if (own !== undefined) return own;
  const reasons = grants.map(
    (grant) =>
      ofKubernetes(subject, grant) ??
      ofGateway(subject, grant, expectations.namespace) ??
      isOperator(grant, expectations),
  );
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

/**
 * system:masters passes every authorization; kubeadm binds the other to cluster-admin since 1.29
 * (kubernetes.io: reference/setup-tools/kubeadm/implementation-details).
 */
const administrators: Readonly<Partial<Record<string, string>>> = {
  'Group:system:masters': 'may do everything, whatever RBAC says',
  'Group:kubeadm:cluster-admins': "kubeadm's administrators",
};

/** Istio's own service accounts (istio/istio manifests/charts: istio-discovery, base, istio-cni). */
function ofIstio(
  {subject: {kind, name, namespace}, grants}: AccessPath,
  {namespace: istioNamespace, revisions}: Expectations,
): string | undefined {
  if (kind !== 'ServiceAccount' || namespace !== istioNamespace) return undefined;
  const istiods = ['istiod', 'istiod-service-account', ...revisions.map((revision) => `istiod-${revision}`)];
  if (istiods.includes(name)) return 'istiod';
  // Of a revision that is not declared: by the roles that its chart gives it, and no others.
  const revision = name.replace(/^istiod-/, '');
  const rolesOfRevision = [
    name,
    ...['istiod-clusterrole', 'istiod-gateway-controller'].map((role) => `${role}-${revision}-${istioNamespace}`),
  ];
  if (revision !== name && grants.every(({role}) => rolesOfRevision.includes(role.name))) return 'istiod';
  if (name === 'istio-reader-service-account') return "Istio's reader: what remote secrets hold a token of";
  return name === 'istio-cni' ? 'runs on every node' : undefined;
}

/**
 * Controllers of Kubernetes, each by the binding that Kubernetes makes for it, to the role of the same name:
 * `system:controller:NAME` for service account NAME (kubernetes/kubernetes
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{controller_policy,policy}.go).
 */
function ofKubernetes({kind, name, namespace}: Subject, {binding}: Grant): string | undefined {
  const {kind: bindingKind, name: bindingName, role} = binding;
  if (bindingKind !== 'ClusterRoleBinding' || role.name !== bindingName) return undefined;
  if (kind === 'User') {
    const components = ['system:kube-controller-manager', 'system:kube-scheduler'];
    return components.includes(name) && bindingName === name ? 'a control plane of Kubernetes' : undefined;
  }
  if (kind !== 'ServiceAccount' || namespace !== 'kube-system') return undefined;
  return bindingName === `system:controller:${name}` ? 'a controller of Kubernetes' : undefined;
}

/**
 * Gateways that istioctl installs beside istiod may list the Secrets there: istiod asks whether they may before it sends them
 * credentials (istio/istio manifests/charts/gateways/istio-ingress/templates/role.yaml, pilot/pkg/credentials/kube/secrets.go).
 * A gateway in a namespace of its own has no such right here.
 */
function ofGateway({kind, namespace}: Subject, {binding, role}: Grant, istioNamespace: string): string | undefined {
  const isHere = [namespace, binding.namespace, role.namespace].every((one) => one === istioNamespace);
  if (kind !== 'ServiceAccount' || !isHere || !/^istio-[a-z]+gateway-sds$/.test(role.name)) return undefined;
  const reads = ['get', 'list', 'watch'];
  const onlyReads = role.rules.every(
    ({resources, verbs}) => resources.join() === 'secrets' && verbs.every((verb) => reads.includes(verb)),
  );
  return onlyReads ? "a gateway in Istio's namespace: one in another namespace needs no such right" : undefined;
}

function isOperator({role}: Grant, expectations: Expectations): string | undefined {
  const given = isGivenRole(role, expectations);
  return given === 'operator' || given === 'installer' ? `${given} of kubectl mesh access role` : undefined;
}

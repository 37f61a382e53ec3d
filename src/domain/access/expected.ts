/**
 * The subjects that are expected to reach the CA key: components of Kubernetes and Istio, members of Kubernetes'
 * administrator groups, holders of a role that `access role` printed, and subjects that mesh.yaml declares.
 */
import {worksWithoutSecrets} from './command-rights.js';
import {accessRoleLevel} from './role-manifests.js';
import type {AccessPath} from './access-paths.js';
import type {Grant} from '../kube/rbac.js';
import type {NamedCluster} from '../mesh/istio-name.js';
import {subjectId, type Subject} from '../kube/subjects.js';

/** The facts about a mesh that decide which subjects are expected. */
export interface Expectations {
  /** Istio's namespace. */
  readonly namespace: string;
  /** The clusters of the mesh: the names of remote secrets contain theirs. */
  readonly clusters: readonly NamedCluster[];
  /** Declared revisions of the control plane. */
  readonly revisions: readonly string[];
  /** `access.expected` of mesh.yaml: {@link subjectId}s. */
  readonly declared: readonly string[];
  /** The Secret that a signer of type `cluster` reads. */
  readonly signerSecret?: string;
}

/**
 * Why an access path is expected; undefined if it is not. A subject that is expected because of its role is expected only
 * through the binding of that role: its access through another binding is a finding.
 */
export function expectedReason(path: AccessPath, expectations: Expectations): string | undefined {
  const {subject, grants} = path;
  const id = subjectId(subject);
  if (expectations.declared.includes(id)) return 'declared in mesh.yaml';
  const reason = administrators[id] ?? istioReason(path, expectations);
  if (reason !== undefined) return reason;
  const reasons = grants.map(
    (grant) =>
      controllerReason(subject, grant) ??
      gatewayReason(subject, grant, expectations.namespace) ??
      roleReason(grant, expectations),
  );
  return reasons.every((one) => one !== undefined) ? reasons[0] : undefined;
}

/**
 * The authorizer does not restrict system:masters; kubeadm binds the other group to cluster-admin since 1.29
 * (kubernetes.io: reference/setup-tools/kubeadm/implementation-details).
 */
const administrators: Readonly<Partial<Record<string, string>>> = {
  'Group:system:masters': 'not restricted by RBAC',
  'Group:kubeadm:cluster-admins': 'kubeadm cluster administrators',
};

/** Istio's own service accounts (istio/istio manifests/charts: istio-discovery, base, istio-cni). */
function istioReason(
  {subject: {kind, name, namespace}, grants}: AccessPath,
  {namespace: istioNamespace, revisions}: Expectations,
): string | undefined {
  if (kind !== 'ServiceAccount' || namespace !== istioNamespace) return undefined;
  const istiods = ['istiod', 'istiod-service-account', ...revisions.map((revision) => `istiod-${revision}`)];
  if (istiods.includes(name)) return 'istiod';
  // A revision that is not declared is recognized by its roles: only those of its chart count.
  const revision = name.replace(/^istiod-/, '');
  const rolesOfRevision = [
    name,
    ...['istiod-clusterrole', 'istiod-gateway-controller'].map((role) => `${role}-${revision}-${istioNamespace}`),
  ];
  if (revision !== name && grants.every(({role}) => rolesOfRevision.includes(role.name))) return 'istiod';
  if (name === 'istio-reader-service-account') return "Istio's reader: remote secrets hold its token";
  return name === 'istio-cni' ? 'istio-cni, which runs on every node' : undefined;
}

/**
 * Kubernetes controllers, each recognized by its default binding to the role of the same name: `system:controller:NAME` for
 * service account NAME (kubernetes/kubernetes
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{controller_policy,policy}.go).
 */
function controllerReason({kind, name, namespace}: Subject, {binding}: Grant): string | undefined {
  const {kind: bindingKind, name: bindingName, role} = binding;
  if (bindingKind !== 'ClusterRoleBinding' || role.name !== bindingName) return undefined;
  if (kind === 'User') {
    const components = ['system:kube-controller-manager', 'system:kube-scheduler'];
    return components.includes(name) && bindingName === name ? 'Kubernetes control plane' : undefined;
  }
  if (kind !== 'ServiceAccount' || namespace !== 'kube-system') return undefined;
  return bindingName === `system:controller:${name}` ? 'Kubernetes controller' : undefined;
}

/**
 * Gateways that istioctl installs in istiod's namespace may list the Secrets there: istiod checks that right before it sends
 * credentials to a gateway (istio/istio manifests/charts/gateways/istio-ingress/templates/role.yaml,
 * pilot/pkg/credentials/kube/secrets.go). Gateways in other namespaces do not have this right.
 */
function gatewayReason({kind, namespace}: Subject, {binding, role}: Grant, istioNamespace: string): string | undefined {
  const isHere = [namespace, binding.namespace, role.namespace].every((one) => one === istioNamespace);
  if (kind !== 'ServiceAccount' || !isHere || !/^istio-[a-z]+gateway-sds$/.test(role.name)) return undefined;
  const reads = ['get', 'list', 'watch'];
  const onlyReads = role.rules.every(
    ({resources, verbs}) => resources.join() === 'secrets' && verbs.every((verb) => reads.includes(verb)),
  );
  return onlyReads ? "gateway in Istio's namespace: in another namespace it would not need this permission" : undefined;
}

function roleReason({role}: Grant, expectations: Expectations): string | undefined {
  const level = accessRoleLevel(role, expectations);
  return level === undefined || worksWithoutSecrets(level) ? undefined : `role ${level} of kubectl mesh access role`;
}

/** Who asks a cluster, and where a kubeconfig leads. */
import {readFileSync, writeFileSync} from 'node:fs';
import {parse, stringify} from 'yaml';
import type {Cluster} from '../../e2e/harness/cluster.js';
import type {Undo} from './fault.js';
import type {Lab} from './lab.js';

/** A right, as a rule of RBAC, and where it is needed. */
export interface Right {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly names?: readonly string[];
  /** In Istio's namespace only; else in the whole cluster. */
  readonly inIstioSystem?: boolean;
}

/** What docs/verify.md says that a full run needs. */
export const allRights = {
  kubeSystem: {apiGroup: '', resource: 'namespaces', verbs: ['get'], names: ['kube-system']},
  namespaces: {apiGroup: '', resource: 'namespaces', verbs: ['list', 'watch']},
  deployments: {apiGroup: 'apps', resource: 'deployments', verbs: ['list', 'watch'], inIstioSystem: true},
  pods: {apiGroup: '', resource: 'pods', verbs: ['list', 'watch']},
  configMaps: {apiGroup: '', resource: 'configmaps', verbs: ['list', 'watch']},
  services: {apiGroup: '', resource: 'services', verbs: ['get', 'list', 'watch']},
  gateways: {apiGroup: 'gateway.networking.k8s.io', resource: 'gateways', verbs: ['list', 'watch']},
  webhooks: {
    apiGroup: 'admissionregistration.k8s.io',
    resource: 'mutatingwebhookconfigurations,validatingwebhookconfigurations',
    verbs: ['list', 'watch'],
  },
  secrets: {
    apiGroup: '',
    resource: 'secrets',
    verbs: ['get'],
    names: ['cacerts', 'istio-ca-secret'],
    inIstioSystem: true,
  },
  portForward: {apiGroup: '', resource: 'pods/portforward', verbs: ['create'], inIstioSystem: true},
} as const satisfies Readonly<Record<string, Right>>;

export type RightName = keyof typeof allRights;

const auditor = 'auditor';

/** From now on the user asks this cluster as somebody who has all rights that verify needs, but not this one. */
export async function becomeAuditor(lab: Lab, cluster: string, without: RightName): Promise<Undo> {
  const on = lab.cluster(cluster);
  await on.kubectl('create', 'serviceaccount', auditor);
  await grant(on, without);
  const before = readFileSync(lab.cli.kubeconfig, 'utf8');
  const token = await on.api.token('default', auditor);
  changeKubeconfig(lab, (config) => {
    config.users.push({name: auditor, user: {token}});
    for (const {name, context} of config.contexts) if (name === on.context) context.user = auditor;
  });
  return async () => {
    writeFileSync(lab.cli.kubeconfig, before);
    await on.kubectl('delete', 'serviceaccount', auditor);
    await on.kubectl('delete', 'clusterrole,clusterrolebinding', auditor);
    await on.kubectl('-n', 'istio-system', 'delete', 'role,rolebinding', auditor);
  };
}

/** Gives the auditor all rights, or all but one. */
export async function grant(on: Cluster, without?: RightName): Promise<void> {
  const rights = Object.entries(allRights as Readonly<Record<string, Right>>)
    .filter(([name]) => name !== without)
    .map(([, right]) => right);
  const rules = (inIstioSystem: boolean): readonly object[] =>
    rights
      .filter((right) => (right.inIstioSystem ?? false) === inIstioSystem)
      .map(({apiGroup, resource, verbs, names}) => ({
        apiGroups: [apiGroup],
        resources: resource.split(','),
        verbs,
        ...(names && {resourceNames: names}),
      }));
  const subjects = [{kind: 'ServiceAccount', name: auditor, namespace: 'default'}];
  const group = 'rbac.authorization.k8s.io';
  const apiVersion = `${group}/v1`;
  const metadata = {name: auditor};
  const everywhere = `/apis/${apiVersion}`;
  const there = `${everywhere}/namespaces/istio-system`;
  const put = (path: string, kind: string, body: object): Promise<unknown> =>
    on.api.apply(`${path}/${auditor}`, {apiVersion, kind, metadata, ...body});
  await put(`${everywhere}/clusterroles`, 'ClusterRole', {rules: rules(false)});
  await put(`${there}/roles`, 'Role', {rules: rules(true)});
  const refer = (kind: string): object => ({subjects, roleRef: {apiGroup: group, kind, name: auditor}});
  await put(`${everywhere}/clusterrolebindings`, 'ClusterRoleBinding', refer('ClusterRole'));
  await put(`${there}/rolebindings`, 'RoleBinding', refer('Role'));
}

interface Kubeconfig {
  clusters: {name: string; cluster: Record<string, string>}[];
  users: {name: string; user: Record<string, string>}[];
  contexts: {name: string; context: {cluster: string; user: string}}[];
}

/** Somebody edits the user's kubeconfig; the undo brings it back. */
export function changeKubeconfig(lab: Lab, change: (config: Kubeconfig) => void): Undo {
  const before = readFileSync(lab.cli.kubeconfig, 'utf8');
  const config = parse(before) as Kubeconfig;
  change(config);
  writeFileSync(lab.cli.kubeconfig, stringify(config));
  return () => {
    writeFileSync(lab.cli.kubeconfig, before);
    return Promise.resolve();
  };
}

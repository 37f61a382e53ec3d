/** Who asks a cluster, and where a kubeconfig leads. */
import {readFileSync, writeFileSync} from 'node:fs';
import {parse, stringify} from 'yaml';
import {verifyRights, type Right} from '../../../src/domain/facts/rights.js';
import type {NamedCluster} from '../../../src/domain/mesh/istio-name.js';
import {qualifiedResource} from '../../../src/domain/kube/kinds.js';
import type {Cluster} from '../../e2e/harness/cluster.js';
import {HarnessError} from '../../e2e/harness/processes.js';
import {rulesOf} from '../../e2e/harness/rules.js';
import type {Undo} from './fault.js';
import type {Lab} from './lab.js';

const auditor = 'auditor';

/** From now on the user of this cluster has exactly the rights that docs/verify.md lists, except one. */
export async function becomeAuditor(lab: Lab, cluster: string, without: string): Promise<Undo> {
  const on = lab.cluster(cluster);
  await on.kubectl('create', 'serviceaccount', auditor);
  await grant(on, lab.setting.clusters, without);
  // A subject that may get Secret cacerts can read the CA key, which is reported unless expected.
  const declared = lab.read('mesh.yaml');
  lab.edit('mesh.yaml', (text) => `${text.trimEnd()}\naccess:\n  expected: [ServiceAccount:default/${auditor}]\n`);
  const before = readFileSync(lab.cli.kubeconfig, 'utf8');
  const token = await on.api.token('default', auditor);
  changeKubeconfig(lab, (config) => {
    config.users.push({name: auditor, user: {token}});
    for (const {name, context} of config.contexts) if (name === on.context) context.user = auditor;
  });
  return async () => {
    writeFileSync(lab.cli.kubeconfig, before);
    writeFileSync(lab.path('mesh.yaml'), declared);
    await on.kubectl('delete', 'serviceaccount', auditor);
    await on.kubectl('delete', 'clusterrole,clusterrolebinding', auditor);
    await on.kubectl('-n', 'istio-system', 'delete', 'role,rolebinding', auditor);
  };
}

/** `create pods/portforward`, `get secrets cacerts`: a right as faults name it. */
function nameOf({name, ...right}: Right): string {
  return [right.verb, qualifiedResource(right), ...(name === undefined ? [] : [name])].join(' ');
}

/** Gives the auditor all rights, or all but one. */
export async function grant(on: Cluster, clusters: readonly NamedCluster[], without?: string): Promise<void> {
  const all = verifyRights(clusters);
  const rights = all.filter((right) => nameOf(right) !== without);
  if (without !== undefined && rights.length === all.length) throw new HarnessError(`no right "${without}"`);
  const subjects = [{kind: 'ServiceAccount', name: auditor, namespace: 'default'}];
  const group = 'rbac.authorization.k8s.io';
  const apiVersion = `${group}/v1`;
  const metadata = {name: auditor};
  const everywhere = `/apis/${apiVersion}`;
  const there = `${everywhere}/namespaces/istio-system`;
  const put = (path: string, kind: string, body: object): Promise<unknown> =>
    on.api.apply(`${path}/${auditor}`, {apiVersion, kind, metadata, ...body});
  await put(`${everywhere}/clusterroles`, 'ClusterRole', {rules: rulesOf(rights, 'everywhere')});
  await put(`${there}/roles`, 'Role', {rules: rulesOf(rights, 'Istio namespace')});
  const refer = (kind: string): object => ({subjects, roleRef: {apiGroup: group, kind, name: auditor}});
  await put(`${everywhere}/clusterrolebindings`, 'ClusterRoleBinding', refer('ClusterRole'));
  await put(`${there}/rolebindings`, 'RoleBinding', refer('Role'));
}

interface Kubeconfig {
  clusters: {name: string; cluster: Record<string, string>}[];
  users: {name: string; user: Record<string, string>}[];
  contexts: {name: string; context: {cluster: string; user: string}}[];
}

/** Edits the user's kubeconfig; the undo restores it. */
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

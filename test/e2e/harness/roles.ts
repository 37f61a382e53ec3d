/** The roles of `access role`, granted to one account on a real API server. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {AccessManifest, RuleManifest} from '../../../src/domain/access/role-manifests.js';
import type {Cluster} from './cluster.js';
import {eventually} from './processes.js';

/** What `access role -o json` prints. */
export interface RoleList {
  readonly items: readonly AccessManifest[];
}

/** The account that everything is run as, as `--subject` takes it. */
export const account = 'ServiceAccount:default/engineer';

/** Creates the account, without rights; returns a token of it. */
export async function createAccount(cluster: Cluster): Promise<string> {
  await cluster.kubectl('create', 'serviceaccount', 'engineer');
  const marker = ['clusterrolebinding', 'marker', '--clusterrole=marker', '--serviceaccount=default:engineer'];
  await cluster.kubectl('create', ...marker);
  return cluster.api.token('default', 'engineer');
}

/** Gives the account these rights and no others. `directory`: for a temporary file. */
export async function grant(cluster: Cluster, directory: string, list: RoleList): Promise<void> {
  const file = join(directory, `role-${cluster.name}.json`);
  writeFileSync(file, JSON.stringify(list));
  await cluster.kubectl('apply', '-f', file);
  const group = String(Date.now());
  // The authorizer follows stored objects after a moment: wait for the last one.
  await cluster.api.apply('/apis/rbac.authorization.k8s.io/v1/clusterroles/marker', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {name: 'marker'},
    rules: [{apiGroups: [group], resources: ['marks'], verbs: ['get']}],
  });
  await eventually('the authorizer to follow', async () => {
    const answer = (await cluster.api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: 'system:serviceaccount:default:engineer',
        resourceAttributes: {verb: 'get', group, resource: 'marks'},
      },
    })) as {readonly status: {readonly allowed: boolean}};
    return answer.status.allowed ? true : undefined;
  });
}

/** The manifests without one right: `update secrets cacerts`; without a name, the right to all names. */
export function without({items}: RoleList, right: string): RoleList {
  const [verb = '', resource = '', name] = right.split(' ');
  const isIt = (rule: RuleManifest): boolean =>
    rule.verbs.includes(verb) &&
    rule.resources.includes(resource) &&
    (name === undefined ? rule.resourceNames === undefined : rule.resourceNames?.includes(name) === true);
  return {
    ...{apiVersion: 'v1', kind: 'List'},
    items: items.map((item) => ({
      ...item,
      ...(item.rules && {
        rules: item.rules.flatMap((rule): readonly RuleManifest[] => {
          if (!isIt(rule)) return [rule];
          const rest = rule.verbs.filter((one) => one !== verb);
          const others = (rule.resourceNames ?? []).filter((one) => one !== name);
          return [
            ...(rest.length === 0 ? [] : [{...rule, verbs: rest}]),
            ...(others.length === 0 ? [] : [{...rule, verbs: [verb], resourceNames: others}]),
          ];
        }),
      }),
    })),
  };
}

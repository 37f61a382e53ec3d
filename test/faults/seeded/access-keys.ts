/** Faults of who may reach the CA keys: a binding too many. */
import type {Fault} from '../harness/fault.js';

/** Runs these commands on a cluster; the undo deletes what they created. */
function typed(cluster: string, ...commands: readonly string[]): Fault['seed'] {
  return async (lab) => {
    const kubectl = `kubectl --context ${lab.cluster(cluster).context}`;
    await lab.type(commands.map((command) => `${kubectl} ${command}`).join('\n'));
    return async () => {
      await lab.type(
        `${kubectl} -n istio-system delete role,rolebinding seeded --ignore-not-found\n${kubectl} delete clusterrole,clusterrolebinding seeded --ignore-not-found`,
      );
    };
  };
}

const bindRole = '-n istio-system create rolebinding seeded --role=seeded';
const role = (verbs: string, resource: string): string =>
  `-n istio-system create role seeded --verb=${verbs} --resource=${resource}`;

export const keyAccessFaults: readonly Fault[] = [
  {
    id: 'MESH206-named',
    title: 'a user was granted the right to get Secret cacerts',
    cluster: 'one',
    result: 'warning',
    says: /User:alice may read the Secret: get secrets cacerts through RoleBinding istio-system\/seeded/,
    seed: typed('one', `${role('get', 'secrets')} --resource-name=cacerts`, `${bindRole} --user=alice`),
    fix: 'as printed',
  },
  {
    id: 'MESH206-edit',
    title: "a pipeline's service account was bound to ClusterRole edit in Istio's namespace",
    cluster: 'two',
    result: 'warning',
    says: /ServiceAccount:default\/pipeline may read the Secret/,
    seed: typed(
      'two',
      '-n istio-system create rolebinding seeded --clusterrole=edit --serviceaccount=default:pipeline',
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH207-exec',
    title: 'a support group may exec into all pods of the cluster',
    cluster: 'one',
    result: 'warning',
    says: /Group:support may run commands in istiod's pods/,
    seed: typed(
      'one',
      'create clusterrole seeded --verb=create --resource=pods/exec',
      'create clusterrolebinding seeded --clusterrole=seeded --group=support',
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH207-token',
    title: "a user may create tokens for the service accounts in istiod's namespace",
    cluster: 'one',
    result: 'warning',
    says: /User:alice may get a token for a service account that has access \(ServiceAccount:istio-system\//,
    seed: typed('one', role('create', 'serviceaccounts/token'), `${bindRole} --user=alice`),
    fix: 'as printed',
  },
  {
    id: 'MESH207-impersonate',
    title: 'a user may impersonate any user',
    cluster: 'two',
    result: 'warning',
    says: /User:alice may impersonate a subject that has access/,
    seed: typed(
      'two',
      'create clusterrole seeded --verb=impersonate --resource=users',
      'create clusterrolebinding seeded --clusterrole=seeded --user=alice',
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH208-remote-secret',
    title: "a user may read another cluster's remote secret, and nothing else",
    result: 'warning',
    // The account that reads two may also read the remote secret there, for one.
    says: /User:bob of one can reach the CA key of two, one: .*istio-remote-secret-two/,
    seed: typed('one', `${role('get', 'secrets')} --resource-name=istio-remote-secret-two`, `${bindRole} --user=bob`),
    fix: 'as printed',
  },
];

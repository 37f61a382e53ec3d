/**
 * link and unlink with exactly the rights of the role `operator`, in two clusters with real API servers and istiods: each right
 * for changes is missed, and named, where it is taken away.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataResource} from './harness/api.js';
import {writeKubeconfigWithTokens, type Cluster} from './harness/cluster.js';
import {at, startMesh, type Setting} from './harness/mesh.js';
import {findings, type MeshCli} from './harness/mesh-cli.js';
import type {Ran} from './harness/processes.js';
import {account, createAccount, grant, type RoleList, without} from './harness/roles.js';

let setting: Setting;
let cli: MeshCli;
let one: Cluster;
let two: Cluster;
let operator: RoleList;

beforeAll(async () => {
  setting = await startMesh('one', 'two');
  cli = setting.cli;
  [one, two] = [at(setting.clusters, 0), at(setting.clusters, 1)];
  const printed = await cli.must('access', 'role', '--role', 'operator', '--subject', account, '-o', 'json');
  operator = JSON.parse(printed) as RoleList;
  const entries = setting.clusters.map(async (cluster) => ({cluster, token: await createAccount(cluster)}));
  writeKubeconfigWithTokens(cli.kubeconfig, await Promise.all(entries));
  await become(operator);
}, 900_000);
afterAll(() => setting.sandbox.close());

/** Gives the account these rights in both clusters, and no others. */
async function become(list: RoleList): Promise<void> {
  await Promise.all(setting.clusters.map((cluster) => grant(cluster, setting.sandbox.dir, list)));
}

/** The roles of a list with no rules, to take away what was granted before. */
const withoutRules = ({items}: RoleList): RoleList['items'] =>
  items.flatMap((item) => (item.rules ? [{...item, rules: []}] : []));

const summary = ({code, stdout, stderr}: Ran): string => `${String(code)}: ${stdout}${stderr}`;
const path = (name: string): string => `/api/v1/namespaces/istio-system/secrets/${name}`;
const linked = (): Promise<string> => cli.must('link', '--yes');
const unlinked = (): Promise<string> => cli.must('unlink', 'two', '--yes');

/** Deletes the Secret to which the token of one is bound: link then renews it. */
const revoke = async (): Promise<void> => {
  await linked();
  await two.api.remove(path('kubectl-mesh-reader-one'));
  // The API server accepts a token for 10 seconds after its last review.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
};

/** Creates the Secret again to which the token of one is bound: the token ends, and can be renewed. */
async function endToken(): Promise<void> {
  await linked();
  const found = await two.api.find<DataResource>(path('kubectl-mesh-reader-one'));
  const {labels, annotations} = (found?.metadata ?? {}) as {labels?: object; annotations?: object};
  await two.api.remove(path('kubectl-mesh-reader-one'));
  await two.api.create('/api/v1/namespaces/istio-system/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'kubectl-mesh-reader-one', labels, annotations},
  });
  await new Promise((resolve) => setTimeout(resolve, 12_000));
}

/** Adds another cluster to the remote secret: unlink then removes only its own. */
async function shareSecret(): Promise<void> {
  await linked();
  const found = await one.api.find<DataResource>(path('istio-remote-secret-two'));
  const text = Buffer.from('apiVersion: v1\nkind: Config\n').toString('base64');
  expect(found?.data).toHaveProperty('two');
  await one.kubectl(
    ...['-n', 'istio-system', 'patch', 'secret', 'istio-remote-secret-two', '--type=merge'],
    ...['-p', JSON.stringify({data: {other: text}})],
  );
}

/** What needs a right: how the clusters are made to request it, and the command that then fails. */
const link = ['link', '--yes'] as const;
const unlink = ['unlink', 'two', '--yes'] as const;
const needs: readonly (readonly [right: string, arrange: () => Promise<unknown>, words: readonly string[]])[] = [
  ['get serviceaccounts istio-reader-service-account', unlinked, link],
  ['create serviceaccounts/token istio-reader-service-account', unlinked, link],
  ['create tokenreviews', unlinked, link],
  ['create secrets', unlinked, link],
  ['get secrets istio-remote-secret-two', linked, link],
  ['get secrets kubectl-mesh-reader-one', unlinked, link],
  ['update secrets istio-remote-secret-two', revoke, link],
  ['delete secrets istio-remote-secret-two', linked, unlink],
  ['delete secrets kubectl-mesh-reader-one', linked, unlink],
  ['patch secrets istio-remote-secret-two', shareSecret, unlink],
];

describe('an operator', () => {
  it('unlinks a cluster, links it again, and finds nothing to change then', async () => {
    await unlinked();
    await linked();
    expect(summary(await cli.run(['link', '-o', 'json']))).not.toContain('"done"');
    const verdict = await cli.verify('--wait', '--timeout', '2m');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
  });

  it.each(needs)(
    'needs to %s: without it a command fails and names it, with it the same command works',
    async (right, arrange, words) => {
      await arrange();
      await become(without(operator, right));
      const ran = await cli.run(words);
      await become(operator);
      const [verb = '', resource = ''] = right.split(' ');
      expect([ran.code === 0, summary(ran)]).toEqual([false, expect.stringContaining(`cannot ${verb} ${resource}`)]);
      expect(summary(await cli.run(words))).toMatch(/^0: /);
    },
  );

  it.each(['update secrets istio-remote-secret-two', 'create serviceaccounts/token istio-reader-service-account'])(
    'is more than a renewal needs: a renewer renews a token, and needs to %s',
    async (right) => {
      await become(operator);
      await endToken();
      const printed = await cli.must('access', 'role', '--role', 'renewer', '--subject', account, '-o', 'json');
      const renewer = JSON.parse(printed) as RoleList;
      await become({...renewer, items: [...without(renewer, right).items, ...withoutRules(operator)]});
      const words = ['link', '--renew-only', '-o', 'json'] as const;
      const refused = await cli.run(words);
      const [verb = '', resource = ''] = right.split(' ');
      expect([refused.code === 0, summary(refused)]).toEqual([
        false,
        expect.stringContaining(`cannot ${verb} ${resource}`),
      ]);
      await become({...renewer, items: [...renewer.items, ...withoutRules(operator)]});
      expect(summary(await cli.run(words))).toMatch(/^0: [^]*"renew"/);
      await become(operator);
    },
  );

  it('has no right to change a Secret of discovery that none of these needs', () => {
    const tested = new Set(needs.map(([right]) => right));
    const rights = operator.items
      .flatMap(({rules = []}) => rules)
      .flatMap(({verbs, resources, resourceNames = []}) =>
        verbs.flatMap((verb) =>
          resources.flatMap((resource) => resourceNames.map((name) => `${verb} ${resource} ${name}`)),
        ),
      );
    const ofDiscovery = rights.filter((right) =>
      /^(?:create|update|patch|delete) \S+ (?:istio-remote-secret-two|kubectl-mesh-reader-one|istio-reader-)/.test(
        right,
      ),
    );
    expect(ofDiscovery.filter((right) => !tested.has(right))).toEqual([]);
    expect(ofDiscovery.length).toBeGreaterThan(3);
  });
});

/**
 * Two clusters on two networks, made from nothing by `up` alone: each answers half of the requests of each, and a user with the role
 * `traffic` finds out.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {writeKubeconfigWithTokens} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {declareMesh, deployWorkloads} from './harness/data-path/mesh-steps.js';
import {expectEvenSharesThroughGateways} from './harness/data-path/shares.js';
import {reachedPairs, trafficNamespace} from './harness/data-path/traffic.js';
import {findings} from './harness/mesh-cli.js';
import {account, createAccount, grant, type RoleList, without} from './harness/roles.js';

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network2'});
  await declareMesh(path, path.clusters);
});
afterAll(() => path.sandbox.close());

it('up makes two clusters on two networks, of which each answers half of the requests of each', async () => {
  await path.cli.must('up');
  await deployWorkloads(path);
  for (const cluster of path.clusters) await expectEvenSharesThroughGateways(path, cluster, path.clusters);
  const verified = await path.cli.verify('--wait', '--timeout', '2m');
  expect(findings(verified)).toEqual([]);
  // Connections to the gateways end at real workloads.
  const gatewayChecks = verified.checks.filter(({id}) => ['MESH420', 'MESH421', 'MESH423'].includes(id));
  expect(gatewayChecks.map(({id, cluster, result}) => [id, cluster, result])).toEqual([
    ['MESH420', 'one', 'ok'],
    ['MESH420', 'two', 'ok'],
    ['MESH421', 'one', 'ok'],
    ['MESH421', 'two', 'ok'],
    ['MESH423', undefined, 'ok'],
  ]);
  expect(gatewayChecks.at(-1)?.observed).toMatch(/:15443: .*, .*:15443: /);
});

describe('the role traffic', () => {
  let role: RoleList;

  /** Gives the user these rights, and no others. */
  const become = (list: RoleList): Promise<unknown> =>
    Promise.all(path.clusters.map((cluster) => grant(cluster, path.sandbox.dir, list)));

  beforeAll(async () => {
    const {cli, clusters} = path;
    const words = ['access', 'role', '--role', 'traffic', '--subject', account, '-o', 'json'];
    role = JSON.parse(await cli.must(...words)) as RoleList;
    const entries = await Promise.all(
      clusters.map(async (cluster) => ({cluster, token: await createAccount(cluster)})),
    );
    await become(role);
    writeKubeconfigWithTokens(cli.kubeconfig, entries);
  });

  it('suffices for verify --traffic, which then leaves only the namespace', async () => {
    const verdict = await path.cli.verify('--traffic');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
    expect(await reachedPairs(path)).toHaveLength(4);
    for (const {api} of path.clusters) {
      const inside = `namespaces/${trafficNamespace}`;
      expect(await api.list(`/apis/apps/v1/${inside}/deployments`)).toEqual([]);
      expect(await api.list(`/api/v1/${inside}/services`)).toEqual([]);
    }
  });

  it.each([
    'create deployments',
    'create serviceaccounts',
    'create pods',
    'create pods/portforward',
    'create peerauthentications',
    'delete deployments',
  ])('is needed to %s: without it, verify names it', async (right) => {
    await become(without(role, right));
    const {code, stdout, stderr} = await path.cli.run([
      'verify',
      '--traffic',
      '--only',
      'MESH6',
      '--traffic-timeout',
      '5s',
    ]);
    await become(role);
    const [verb = '', resource = ''] = right.split(' ');
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain(`cannot ${verb} ${resource}`);
  });
});

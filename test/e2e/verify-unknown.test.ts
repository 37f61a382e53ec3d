/**
 * What verify may not see, on a real API server with real RBAC: a user with exactly the rights that docs/verify.md lists
 * is enough, and without any one of them nothing that rests on it is called ok.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {verifyRights as rightsIn, type Right} from '../../src/domain/facts/rights.js';
import {rowsOfRight} from '../helpers/rows-of-right.js';
import {writeKubeconfigWithToken, type Cluster} from './harness/cluster.js';
import {controlPlanes} from './harness/control-planes.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, type CheckRow, type MeshCli, type Verdict} from './harness/mesh-cli.js';
import {rulesOf} from './harness/rules.js';
import {eventually} from './harness/processes.js';

let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;
let ownKubeconfig: string;

const gateway = '/api/v1/namespaces/istio-system/services/istio-eastwestgateway';
/** The clusters of mesh.yaml. */
const verifyRights = rightsIn([{name: 'one'}, {name: 'two'}]);
const auditor = 'system:serviceaccount:default:auditor';

beforeAll(async () => {
  await controlPlanes();
  setting = await startSetting({name: 'one'});
  cli = setting.cli;
  cluster = at(setting.clusters, 0);
  await cli.must('init', `one=${cluster.context}`);
  // A cluster on another network, which is never accessed: only then a gateway is needed.
  const meshYaml = join(cli.workDir, 'mesh.yaml');
  writeFileSync(meshYaml, `${readFileSync(meshYaml, 'utf8').trimEnd()}\n  - name: two\n    network: network2\n`);
  for (const step of ['certs generate', 'trust push', 'install render']) await cli.must(...step.split(' '), 'one');
  await Promise.all([cli.must('install', 'apply', 'one'), giveAddress()]);
  ownKubeconfig = readFileSync(cli.kubeconfig, 'utf8');
}, 900_000);
afterAll(() => setting.sandbox.close());

const verify = (...args: string[]): Promise<Verdict & {readonly code: number | null}> => cli.verify('one', ...args);

async function expectGreen(): Promise<void> {
  const verdict = await verify('--wait', '--timeout', '1m');
  expect(findings(verdict)).toEqual([]);
  expect([verdict.verdict, verdict.code]).toEqual(['ok', 0]);
}

/** What a cloud does: gives the gateway's Service an address, as soon as there is one. */
async function giveAddress(): Promise<void> {
  await eventually('the Service of the gateway', () => cluster.api.find(gateway));
  await cluster.api.patch(`${gateway}/status`, {status: {loadBalancer: {ingress: [{ip: '192.0.2.1'}]}}});
}

describe('the gateway between networks', () => {
  const finding = async (): Promise<CheckRow> => {
    const verdict = await verify();
    expect(verdict.code).toBe(3);
    expect(findings(verdict).map(({id}) => id)).toEqual(['MESH411']);
    return at(findings(verdict), 0);
  };

  it('is missed, and the printed command makes it', async () => {
    await cluster.kubectl('-n', 'istio-system', 'delete', 'deployment,service', '-l', 'istio=eastwestgateway');
    const {fix = '', observed} = await finding();
    expect(observed).toBe('one: no gateway for network1');
    const [ran] = await Promise.all([cli.shell(fix), giveAddress()]);
    expect(ran.code, `${fix}\n${ran.stdout}${ran.stderr}`).toBe(0);
    await expectGreen();
  });

  it('has no address while its load balancer is pending; the printed command says why; with one all is well', async () => {
    await cluster.api.patch(`${gateway}/status`, {status: {loadBalancer: null}});
    const {fix = '', observed} = await finding();
    expect(observed).toContain('pending');
    const ran = await cli.shell(fix);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('istio-eastwestgateway')]);
    await giveAddress();
    await expectGreen();
  });

  it('counts as NodePort only with the annotation that tells istiod of nodes', async () => {
    await cluster.api.patch(gateway, {spec: {type: 'NodePort'}});
    const {fix = ''} = await finding();
    expect((await cli.shell(fix)).code).toBe(0);
    await expectGreen();
    await cluster.api.patch(gateway, {spec: {type: 'ClusterIP', externalIPs: ['192.0.2.7']}});
    await expectGreen();
  });
});

/** Gives the auditor exactly these rights. */
async function grant(rights: readonly Right[]): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const role = (kind: string, namespace: object, where: Right['where']) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: {name: 'auditor', ...namespace},
    rules: rulesOf(rights, where),
  });
  const space = {namespace: 'istio-system'};
  await cluster.api.apply(`${rbac}/clusterroles/auditor`, role('ClusterRole', {}, 'everywhere'));
  await cluster.api.apply(`${rbac}/namespaces/istio-system/roles/auditor`, role('Role', space, 'Istio namespace'));
  for (const right of verifyRights) {
    await eventually('the authorizer to follow', async () =>
      (await isAllowed(right)) === rights.some((one) => grants(one, right)) ? true : undefined,
    );
  }
}

/** Whether one right contains another. */
function grants(one: Right, other: Right): boolean {
  return (
    one.verb === other.verb &&
    one.group === other.group &&
    one.resource === other.resource &&
    (one.name === undefined || one.name === other.name) &&
    (one.where === 'everywhere' || one.where === other.where)
  );
}

async function isAllowed({verb, group, resource, name, where}: Right): Promise<boolean> {
  const [plural = '', subresource] = resource.split('/');
  const answer = (await cluster.api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: auditor,
      resourceAttributes: {
        verb,
        group,
        resource: plural,
        ...(subresource !== undefined && {subresource}),
        ...(name !== undefined && {name}),
        ...(where === 'Istio namespace' && {namespace: 'istio-system'}),
      },
    },
  })) as {readonly status: {readonly allowed: boolean}};
  return answer.status.allowed;
}

describe('a user with the rights that docs/verify.md lists', () => {
  beforeAll(async () => {
    await cluster.kubectl('create', 'serviceaccount', 'auditor');
    const subject = '--serviceaccount=default:auditor';
    await cluster.kubectl('create', 'clusterrolebinding', 'auditor', '--clusterrole=auditor', subject);
    await cluster.kubectl('-n', 'istio-system', 'create', 'rolebinding', 'auditor', '--role=auditor', subject);
    writeKubeconfigWithToken(cli.kubeconfig, cluster, await cluster.api.token('default', 'auditor'));
    return () => {
      writeFileSync(cli.kubeconfig, ownKubeconfig);
    };
  });

  it('sees everything', async () => {
    await grant(verifyRights);
    await expectGreen();
  });

  // The others are requested in meshes of another kind.
  const used = verifyRights.filter(({when}) => when === undefined || when === 'where clusters are on several networks');

  const titled = used.map(
    (right) => [[right.verb, right.resource, right.name ?? '', right.where].filter(Boolean).join(' '), right] as const,
  );

  it.each(titled)('sees nothing that rests on it without %s: exit 4, and why', async (_, right) => {
    await grant(verifyRights.filter((one) => !grants(one, right)));
    const verdict = await verify();
    expect([verdict.verdict, verdict.code]).toEqual(['unknown', 4]);
    const resting = rowsOfRight(right, 'one', verdict.checks);
    expect(resting.length).toBeGreaterThan(0);
    // Checks of a pair that also need facts of the other cluster are skipped, whatever is known of this one.
    const judged = resting.filter(({reason}) => reason !== 'two is not selected');
    const known = judged.filter(({result}) => result !== 'unknown').map(({id, result}) => `${id} ${result}`);
    expect(known).toEqual([]);
    const unknown = verdict.checks.filter(({result}) => result === 'unknown');
    for (const {id, reason} of unknown) expect(`${id} ${reason ?? ''}`).toContain(`${right.verb} ${right.resource}`);
    expect(unknown.map(({id}) => id)).toContain('MESH202');
    expect(verdict.checks.filter(({result}) => result === 'error' || result === 'warning')).toEqual([]);
  });
});

describe('an istiod that tells nothing at its debug endpoint', () => {
  it('is unknown: exit 4, and the printed command makes it tell again', async () => {
    await cluster.kubectl('-n', 'istio-system', 'set', 'env', 'deployment/istiod', 'ENABLE_DEBUG_ON_HTTP=false');
    await cluster.kubectl('-n', 'istio-system', 'rollout', 'status', 'deployment/istiod');
    const rows = await eventually('everything else to be well', async () => {
      const verdict = await verify();
      const rows = findings(verdict);
      const isQuiet = rows.every(
        ({result, reason}) => result === 'unknown' && reason?.includes('ENABLE_DEBUG_ON_HTTP'),
      );
      return verdict.code === 4 && isQuiet ? rows : undefined;
    });
    expect(rows.map(({id}) => id)).toEqual(['MESH412', 'MESH423', 'MESH502', 'MESH506']);
    const [row] = rows;
    const ran = await cli.shell(row?.fix ?? 'false');
    expect(ran.code, `${row?.fix ?? ''}\n${ran.stdout}${ran.stderr}`).toBe(0);
    await expectGreen();
  });
});

describe('nothing of a cluster is called ok', () => {
  const ofClusters = (verdict: Verdict): readonly string[] =>
    (verdict.checks as readonly (CheckRow & {readonly vantage: string})[])
      .filter(({vantage, result}) => vantage !== 'work directory' && (result === 'ok' || result === 'error'))
      .map(({id, result}) => `${id} ${result}`);

  it('without kubectl on PATH', async () => {
    const ran = await cli.run(['verify', 'one', '-o', 'json'], {
      env: {...cli.env, PATH: join(cli.env.HOME ?? '', 'bin')},
    });
    const verdict = JSON.parse(ran.stdout) as Verdict;
    expect([ran.code, verdict.verdict, ...ofClusters(verdict)]).toEqual([4, 'unknown']);
    expect(findings(verdict).map(({id, reason}) => [id, reason])).toEqual([
      ['MESH201', expect.stringContaining('kubectl') as unknown],
    ]);
  });

  it('while the API server is stopped; green when it is back', async () => {
    await cluster.stop();
    const verdict = await verify();
    expect([verdict.code, verdict.verdict, ...ofClusters(verdict)]).toEqual([4, 'unknown']);
    expect(findings(verdict).map(({id}) => id)).toEqual(['MESH201']);
    await cluster.start();
    await expectGreen();
  });
});

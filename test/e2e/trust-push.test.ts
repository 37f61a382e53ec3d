/** trust push against a real API server: every Secret that may be there already, and every right that may be missing. */
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {writeKubeconfigWithToken, type Cluster} from './harness/cluster.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import type {MeshCli} from './harness/mesh-cli.js';
import type {Ran} from './harness/processes.js';
import {runInTerminal} from '../helpers/pseudo-terminal.js';

interface Answer {
  readonly clusters: readonly {
    readonly outcome: string;
    readonly plan?: string;
    readonly error?: {readonly code: string; readonly message: string};
    readonly notValidated?: readonly string[];
  }[];
}
interface SecretAnswer {
  readonly type: string;
  readonly immutable?: boolean;
  readonly data: Readonly<Record<string, string>>;
  readonly metadata: {readonly managedFields: readonly {readonly manager: string}[]};
}

const files = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];
let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;
let ca: string;

beforeAll(async () => {
  setting = await startSetting({name: 'c1', nodes: 0, playIstiod: false});
  cli = setting.cli;
  cluster = at(setting.clusters, 0);
  // No network is declared, so the namespace's label is nobody's business.
  await cli.must('certs', 'generate', 'c1', '--key-algorithm', 'ecdsa-p256');
  ca = join(cli.workDir, 'c1');
});

afterAll(() => setting.sandbox.close());

afterEach(async () => {
  cli.useContexts({[cluster.context]: cluster});
  await cluster.kubectl('delete', 'namespace', 'istio-system', '--ignore-not-found', '--wait');
});

async function push(...args: string[]): Promise<Ran & {answer: Answer}> {
  const ran = await cli.run(['trust', 'push', 'c1', '--context', cluster.context, ...args, '-o', 'json']);
  return {...ran, answer: JSON.parse(ran.stdout) as Answer};
}

const secretNow = async (): Promise<SecretAnswer> =>
  JSON.parse(
    await cluster.kubectl('-n', 'istio-system', 'get', 'secret', 'cacerts', '-o', 'json', '--show-managed-fields'),
  ) as SecretAnswer;

/** As the guide makes it. */
async function createByGuide(...more: string[]): Promise<void> {
  await cluster.kubectl('create', 'namespace', 'istio-system');
  const from = files.map((file) => `--from-file=${join(ca, file)}`);
  await cluster.kubectl('-n', 'istio-system', 'create', 'secret', 'generic', 'cacerts', ...from, ...more);
}

describe('a Secret that is there', () => {
  it('made by the guide from the same files, is taken over without a write', async () => {
    await createByGuide();
    const {code, answer} = await push();
    expect([code, answer.clusters[0]?.outcome]).toEqual([0, 'unchanged']);
    expect((await secretNow()).metadata.managedFields.map(({manager}) => manager)).toEqual(['kubectl-create']);
  });

  it('with tls.crt beside, is replaced whole', async () => {
    await createByGuide(`--from-file=tls.crt=${join(ca, 'ca-cert.pem')}`);
    expect((await push()).code).toBe(5);
    expect((await push('-y')).code).toBe(0);
    expect(Object.keys((await secretNow()).data).sort()).toEqual(files);
    expect((await cli.run(['trust', 'diff', 'c1', '--context', cluster.context])).code).toBe(0);
  });

  it('of type kubernetes.io/tls, is deleted and created', async () => {
    await cluster.kubectl('create', 'namespace', 'istio-system');
    const pair = [`--cert=${join(ca, 'ca-cert.pem')}`, `--key=${join(ca, 'ca-key.pem')}`];
    await cluster.kubectl('-n', 'istio-system', 'create', 'secret', 'tls', 'cacerts', ...pair);
    const {code, answer} = await push('-y');
    expect([code, answer.clusters[0]?.plan]).toEqual([0, 'replace']);
    expect((await secretNow()).type).toBe('Opaque');
    // The previous Secret went to cacerts-previous, with its type and everything readable, and is restored.
    expect(
      (await cli.run(['trust', 'rollback', 'c1', '-y', '--allow-invalid-bundle', '--allow-root-change'])).code,
    ).toBe(0);
    expect(Object.keys((await secretNow()).data).sort()).toEqual(['tls.crt', 'tls.key']);
  });

  it('that is immutable, is deleted and created', async () => {
    await createByGuide('--from-literal=extra=1');
    await cluster.kubectl('-n', 'istio-system', 'patch', 'secret', 'cacerts', '-p', '{"immutable":true}');
    const {code, answer} = await push('-y');
    expect([code, answer.clusters[0]?.plan]).toEqual([0, 'replace']);
    expect((await secretNow()).immutable).toBeUndefined();
  });
});

describe('a Secret that another client changes between plan and write', () => {
  it('is read again and confirmed again, and never overwritten unread', async () => {
    await createByGuide('--from-literal=extra=1');
    const change = ['patch', 'secret', 'cacerts', '-p', '{"stringData":{"other":"2"}}'];
    const {screen, code} = await runInTerminal(
      `kubectl-mesh trust push c1 --context ${cluster.context}`,
      [
        {
          when: /keys extra\)[^]*Continue\?/,
          before: () => cluster.kubectl('-n', 'istio-system', ...change),
          type: 'y\r',
        },
        {when: /keys extra, other\)[^]*Continue\?/, type: 'y\r'},
      ],
      {cwd: cli.workDir, env: cli.env},
    );
    expect(code, screen).toBe(0);
    expect(Object.keys((await secretNow()).data).sort()).toEqual(files);
  });
});

describe('dry run of the server', () => {
  it('before the namespace exists, checks what can be and says the rest', async () => {
    const {code, answer} = await push('--dry-run=server');
    expect(code).toBe(0);
    expect(answer.clusters[0]?.notValidated).toHaveLength(1);
    await expect(cluster.kubectl('get', 'namespace', 'istio-system')).rejects.toThrow();
  });

  it('of a Secret that must be deleted and created, passes', async () => {
    await createByGuide('--from-literal=extra=1');
    await cluster.kubectl('-n', 'istio-system', 'patch', 'secret', 'cacerts', '-p', '{"immutable":true}');
    expect((await push('--dry-run=server')).code).toBe(0);
    expect((await secretNow()).immutable).toBe(true);
  });
});

/** All rights that a push into an existing namespace needs, as rules of one ClusterRole. */
const rights = {
  'get namespaces': {apiGroups: [''], resources: ['namespaces'], verbs: ['get']},
  'get secrets': {apiGroups: [''], resources: ['secrets'], verbs: ['get']},
  'create secrets': {apiGroups: [''], resources: ['secrets'], verbs: ['create']},
  'update secrets': {apiGroups: [''], resources: ['secrets'], verbs: ['update']},
  'get configmaps': {apiGroups: [''], resources: ['configmaps'], verbs: ['get']},
  'list deployments': {apiGroups: ['apps'], resources: ['deployments'], verbs: ['list']},
};

describe('a user who may do only so much', () => {
  async function becomeUserWith(rules: readonly object[]): Promise<void> {
    const role = {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: {name: 'pusher'}, rules};
    await cluster.kubectl('delete', 'clusterrole', 'pusher', '--ignore-not-found');
    await cluster.api.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', role);
    writeKubeconfigWithToken(cli.kubeconfig, cluster, await cluster.api.token('default', 'pusher'));
  }

  beforeAll(async () => {
    await cluster.kubectl('-n', 'default', 'create', 'serviceaccount', 'pusher');
    const binding = ['--clusterrole=pusher', '--serviceaccount=default:pusher'];
    await cluster.kubectl('create', 'clusterrolebinding', 'pusher', ...binding);
  });

  it('can push with these rights and no right to change namespaces', async () => {
    await createByGuide('--from-literal=extra=1');
    await becomeUserWith(Object.values(rights));
    const {code, stderr} = await push('-y');
    expect(code, stderr).toBe(0);
  });

  it.each(Object.keys(rights))('gets an error that "%s" is missing', async (missing) => {
    await createByGuide('--from-literal=extra=1');
    await becomeUserWith(Object.entries(rights).flatMap(([name, rule]) => (name === missing ? [] : [rule])));
    const {code, answer} = await push('-y');
    const error = answer.clusters[0]?.error;
    expect(error?.code).toBe('FORBIDDEN');
    for (const word of missing.split(' ')) expect(error?.message).toContain(word);
    // "update" fails after the present CA was kept: something is written by then.
    expect(code).toBe(missing === 'update secrets' ? 1 : 4);
  });
});

describe('a running istiod', () => {
  it('shows a renewed CA without a restart, and the push waits for that', async () => {
    const live = await startSetting({name: 'live'});
    try {
      const context = at(live.clusters, 0).context;
      await live.cli.must('init', `live=${context}`);
      await live.cli.must('up', '--key-algorithm', 'ecdsa-p256');
      await live.cli.must('certs', 'generate', 'live', '--renew', '--yes');
      const ran = await live.cli.run(['trust', 'push', 'live', '--yes', '-o', 'json']);
      expect(ran.code, ran.stderr + ran.stdout).toBe(0);
      expect(ran.stderr).toContain('wait until istiod uses the new CA');
      const verdict = await live.cli.verify('--only', 'MESH3', '--wait', '--timeout', '1m');
      expect([verdict.verdict, verdict.code]).toEqual(['ok', 0]);
      await live.cli.must('trust', 'rollback', 'live', '--yes');
      expect((await live.cli.run(['trust', 'diff', 'live'])).code).toBe(3);
    } finally {
      await live.sandbox.close();
    }
  });
});

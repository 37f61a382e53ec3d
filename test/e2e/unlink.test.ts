/**
 * The end of endpoint discovery on real API servers with real istiods; the manifests for git and for the renewal, accepted by a
 * real API server; and a renewal from a work directory that is mounted read-only.
 */
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readJournal} from '../../src/domain/journal/chain.js';
import type {UnlinkResult} from '../../src/operations/discovery/unlink.js';
import type {DataResource} from './harness/api.js';
import type {Cluster} from './harness/cluster.js';
import {at, startMesh, type Setting} from './harness/mesh.js';
import type {MeshCli} from './harness/mesh-cli.js';

let setting: Setting;
let cli: MeshCli;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  setting = await startMesh('one', 'two');
  cli = setting.cli;
  [one, two] = [at(setting.clusters, 0), at(setting.clusters, 1)];
}, 900_000);
afterAll(() => setting.sandbox.close());

/** Runs a shell command line that must succeed. */
async function sh(line: string): Promise<string> {
  const {code, stdout, stderr} = await cli.shell(line);
  expect([code, code === 0 ? '' : stderr], line).toEqual([0, '']);
  return stdout;
}

const secretNames = async ({context}: Cluster): Promise<readonly string[]> =>
  (await sh(`kubectl --context ${context} -n istio-system get secrets -o name`))
    .split('\n')
    .map((name) => name.replace('secret/', ''))
    .filter((name) => /^(?:istio-remote-secret|kubectl-mesh-reader)-/.test(name))
    .sort();

describe('manifests', () => {
  it('of discovery are accepted by the API server, and the printed commands issue bound tokens', async () => {
    const directory = join(cli.workDir, 'manifests');
    await cli.must('link', '--output-dir', directory, '--secret-store', 'ClusterSecretStore/vault');
    for (const file of ['reader-account', 'reader-secrets']) {
      await sh(`kubectl --context ${two.context} apply --dry-run=server -f manifests/two/${file}.yaml`);
    }
    const text = readFileSync(join(directory, 'one/remote-secrets.yaml'), 'utf8');
    const command = /kubectl (-n istio-system create token .*)/.exec(text)?.[1] ?? '';
    const token = await sh(`kubectl --context ${two.context} ${command}`);
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    expect(JSON.parse(payload)).toMatchObject({'kubernetes.io': {secret: {name: 'kubectl-mesh-reader-one'}}});
    // Put into its slot, the token makes a remote secret that link regards as its own.
    const [external] = parseAllDocuments(text).map((document) => document.toJS() as External);
    const {template} = external?.spec.target ?? {};
    expect(Object.values(template?.data ?? {})[0]).toContain('{{ .token | trim }}');
    const filled = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: template?.type,
      metadata: {...template?.metadata, name: external?.spec.target.name, namespace: 'istio-system'},
      stringData: {two: template?.data.two?.replace('{{ .token | trim }}', token.trim())},
    };
    writeFileSync(join(cli.workDir, 'filled.json'), JSON.stringify(filled));
    await sh(`kubectl --context ${one.context} replace -f filled.json`);
    const {clusters} = JSON.parse(await cli.must('link', '-o', 'json')) as {clusters: {outcome: string}[]};
    expect(clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
  });

  it('of the renewal are accepted where the restricted Pod Security Standard is enforced', async () => {
    const kubectl = `kubectl --context ${one.context}`;
    await sh(`${kubectl} create namespace mesh-jobs`);
    await sh(`${kubectl} label namespace mesh-jobs pod-security.kubernetes.io/enforce=restricted`);
    await sh(`${kubectl} -n mesh-jobs create serviceaccount default || true`);
    const printed = await cli.must(
      'link',
      '--cron-manifest',
      '--image',
      'registry.example.com/kubectl-mesh:1',
      '--namespace',
      'mesh-jobs',
    );
    writeFileSync(join(cli.workDir, 'cron.yaml'), printed);
    await sh(`${kubectl} apply --dry-run=server -f cron.yaml`);
    const [job] = parseAllDocuments(printed).map((document) => document.toJS() as CronJob);
    const {spec} = job?.spec.jobTemplate.spec.template ?? {};
    const pod = {apiVersion: 'v1', kind: 'Pod', metadata: {name: 'renewal', namespace: 'mesh-jobs'}, spec};
    writeFileSync(join(cli.workDir, 'pod.json'), JSON.stringify(pod));
    await sh(`${kubectl} create --dry-run=server -f pod.json`);
    // The commands in the comments create what the pod mounts.
    const commands = printed
      .split('\n')
      .flatMap((line) => /^# +(kubectl create (?:configmap|secret) .*)$/.exec(line)?.[1] ?? [])
      .map((line) => line.replaceAll('kubectl ', `${kubectl} `).replace('KUBECONFIG', '"$KUBECONFIG"'));
    expect(commands).toHaveLength(2);
    for (const line of commands) await sh(line);
    expect(
      await sh(`${kubectl} -n mesh-jobs get configmap/kubectl-mesh-files secret/kubectl-mesh-kubeconfig -o name`),
    ).toContain('configmap/kubectl-mesh-files');
  });
});

interface External {
  readonly spec: {
    readonly target: {
      readonly name: string;
      readonly template: {
        readonly type: string;
        readonly metadata: object;
        readonly data: Readonly<Record<string, string>>;
      };
    };
  };
}
interface CronJob {
  readonly spec: {readonly jobTemplate: {readonly spec: {readonly template: {readonly spec: object}}}};
}

it('link renews a revoked token from a work directory that is mounted read-only', async () => {
  const before = (await one.api.find<DataResource>('/api/v1/namespaces/istio-system/secrets/istio-remote-secret-two'))
    ?.data?.two;
  const reader = `kubectl --context ${two.context} -n istio-system get secret kubectl-mesh-reader-one -o json`;
  await sh(`${reader} | kubectl --context ${two.context} replace --force -f -`);
  const mounted = join(cli.workDir, '..', 'mounted');
  mkdirSync(join(mounted, '..data'), {recursive: true});
  writeFileSync(join(mounted, '..data/mesh.yaml'), readFileSync(join(cli.workDir, 'mesh.yaml')));
  await sh(`ln -s ..data/mesh.yaml ${mounted}/mesh.yaml`);
  const words = `kubectl-mesh link --renew-only -w ${mounted} --journal - --keep-going --reason renewal --allow-local-address`;
  const inMount = `mount --bind -o ro ${mounted} ${mounted} && ! touch ${mounted}/x 2>/dev/null && ${words}`;
  // The API server caches a successful authentication for 10 seconds.
  const ran = await cli.shell(`sleep 12; unshare -m sh -c '${inMount}'`);
  expect([ran.code, ran.code === 0 ? '' : ran.stderr]).toEqual([0, '']);
  const {entries, faults, open} = readJournal(ran.stdout);
  expect([faults, open]).toEqual([[], []]);
  expect(entries.some(({kind, status, cluster}) => kind === 'outcome' && status === 'done' && cluster === 'one')).toBe(
    true,
  );
  expect(readdirSync(mounted).sort()).toEqual(['..data', 'mesh.yaml']);
  const after = (await one.api.find<DataResource>('/api/v1/namespaces/istio-system/secrets/istio-remote-secret-two'))
    ?.data?.two;
  expect(after).not.toBe(before);
}, 120_000);

it('unlink removes a cluster in both directions, which istiod confirms', async () => {
  const dry = JSON.parse(await cli.must('unlink', 'two', '--dry-run', '-o', 'json')) as UnlinkResult;
  expect(dry.clusters.map(({outcome}) => outcome)).toEqual(['skipped', 'skipped']);
  expect(await secretNames(one)).toHaveLength(2);
  const refused = await cli.run(['unlink', 'two']);
  expect(refused.code).toBe(5);
  const result = JSON.parse(await cli.must('unlink', 'two', '--yes', '-o', 'json')) as UnlinkResult;
  expect(result.clusters.map(({name, outcome}) => [name, outcome])).toEqual([
    ['two', 'done'],
    ['one', 'done'],
  ]);
  for (const cluster of [one, two]) {
    expect(await secretNames(cluster)).toEqual([]);
    const known = await cluster.istioctl('remote-clusters');
    expect(known).not.toContain(cluster === one ? 'two' : 'one');
  }
  const [, first] = result.clusters;
  expect(first?.proven?.pods.length).toBeGreaterThan(0);
  expect(first?.proven?.kept).toEqual([
    {cluster: 'one', before: expect.any(Number) as number, after: expect.any(Number) as number},
  ]);
  const again = JSON.parse(await cli.must('unlink', 'two', '-o', 'json')) as UnlinkResult;
  expect(again.clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
}, 180_000);

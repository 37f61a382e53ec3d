import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it, vi} from 'vitest';
import Link from '../../src/commands/link.js';
import Unlink from '../../src/commands/unlink.js';
import type {UnlinkResult} from '../../src/operations/discovery/unlink.js';
import {secret, type FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';

let mesh: LinkMesh;
afterEach(async () => {
  vi.useRealTimers();
  await mesh.stop();
});

/** The clusters in which a service runs, with the number of its pods. */
const services: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'cart.shop': {c1: 1, c2: 2, c3: 1},
  'pay.shop': {c3: 2},
  'only.shop': {c1: 1},
};

/** Lets the istiods report the services of each cluster that they read. */
function reportServices(names: readonly string[]): void {
  for (const name of names) {
    const {current} = mesh.istiod(name).monitor.says;
    const clusters = current['/debug/clusterz'] as () => {id: string; syncStatus: string}[];
    current['/debug/endpointShardz'] = () => {
      const read = clusters()
        .filter(({syncStatus}) => syncStatus === 'synced')
        .map(({id}) => id);
      const all: typeof services = {...services, 'kubernetes.default': Object.fromEntries(read.map((id) => [id, 1]))};
      return Object.fromEntries(
        Object.entries(all).map(([service, pods]) => {
          const shards = Object.entries(pods).filter(([id]) => read.includes(id));
          const shardz = shards.map(([id, count]) => [`Kubernetes/${id}`, Array<object>(count).fill({})]);
          return [
            `${service}.svc.cluster.local`,
            {[service.split('.')[1] ?? '']: {Shards: Object.fromEntries(shardz) as object}},
          ];
        }),
      );
    };
  }
}

async function linked(names: readonly string[] = ['c1', 'c2', 'c3']): Promise<void> {
  mesh = await linkMesh(names);
  reportServices(names);
  expect((await runCommand(Link, ['--allow-local-address'], mesh.env)).code).toBe(0);
}

async function unlink(...argv: string[]): Promise<CommandRun & {result: UnlinkResult}> {
  const run = await runCommand(Unlink, [...argv, '-o', 'json'], mesh.env);
  return {...run, result: answerOf(run) as UnlinkResult};
}

const outcomes = ({clusters}: UnlinkResult): readonly string[] =>
  clusters.map(({name, outcome}) => `${name} ${outcome}`);

/** The Secrets of discovery in a cluster. */
const secretsOf = (name: string): readonly string[] =>
  mesh
    .cluster(name)
    .all('Secret')
    .map(({metadata}) => metadata.name)
    .filter((one) => /^(?:istio-remote-secret|kubectl-mesh-reader)-/.test(one))
    .sort();

/** A remote secret as another tool writes it. */
function remoteSecret(name: string, data: Record<string, string>): FakeObject {
  const metadata = {name, namespace: 'istio-system', labels: {'istio/multiCluster': 'true'}};
  return {...secret(`istio-system/${name}`, data), metadata};
}

describe('unlink', () => {
  it('removes everything of a cluster in both directions, and nothing else', async () => {
    await linked();
    const {code, result} = await unlink('c3', '--yes');
    expect(code).toBe(0);
    expect(outcomes(result)).toEqual(['c3 done', 'c1 done', 'c2 done']);
    expect(secretsOf('c1')).toEqual(['istio-remote-secret-c2', 'kubectl-mesh-reader-c2']);
    expect(secretsOf('c2')).toEqual(['istio-remote-secret-c1', 'kubectl-mesh-reader-c1']);
    expect(secretsOf('c3')).toEqual([]);
    const again = await unlink('c3');
    expect(again.code).toBe(0);
    expect(outcomes(again.result)).toEqual(['c3 unchanged', 'c1 unchanged', 'c2 unchanged']);
  });

  it('names the services that lose endpoints, and confirms that the other clusters kept theirs', async () => {
    await linked();
    const {result} = await unlink('c3', '--yes');
    const [, c1] = result.clusters;
    expect(c1?.losing).toEqual([
      {host: 'pay.shop.svc.cluster.local', lost: 2, left: 0},
      {host: 'cart.shop.svc.cluster.local', lost: 1, left: 3},
    ]);
    expect(c1?.proven).toEqual({
      pods: ['istiod-1'],
      kept: [
        {cluster: 'c1', before: 3, after: 3},
        {cluster: 'c2', before: 2, after: 2},
      ],
    });
  });

  it('shows what is lost and changes nothing in a dry run, and without confirmation', async () => {
    await linked();
    const before = ['c1', 'c2', 'c3'].map(secretsOf);
    const dry = await unlink('c3', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.result.clusters.map(({losing}) => losing?.length)).toEqual([2, 2, 2]);
    const refused = await runCommand(Unlink, ['c3'], mesh.env);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('pay.shop.svc.cluster.local');
    expect(['c1', 'c2', 'c3'].map(secretsOf)).toEqual(before);
  });

  it('is recorded in the journal', async () => {
    await linked();
    await unlink('c3', '--yes', '--reason', 'decommissioned');
    const entries = (await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {command: string; kind: string; action: string; reason?: string});
    const own = entries.filter(({command, kind}) => command === 'unlink' && kind === 'intent');
    expect(own).toHaveLength(8);
    expect(new Set(own.map(({reason}) => reason))).toEqual(new Set(['decommissioned']));
  });

  /** The istiod of c1 reads c3 whatever its remote secrets are. */
  function keepReading(): void {
    const {current} = mesh.istiod('c1').monitor.says;
    current['/debug/clusterz'] = () => [
      {id: 'c1', secretName: '', syncStatus: 'synced'},
      {id: 'c3', secretName: 'istio-system/istio-remote-secret-c3', syncStatus: 'synced'},
    ];
  }

  /** Each response of the istiod of c1 takes a minute, so that a proof fails at once. */
  function letTimePass(): void {
    vi.useFakeTimers({toFake: ['Date']});
    const {current} = mesh.istiod('c1').monitor.says;
    const clusters = current['/debug/clusterz'] as () => object;
    current['/debug/clusterz'] = () => {
      vi.setSystemTime(Date.now() + 60_000);
      return clusters();
    };
  }

  it('does the rest and revokes all tokens although one istiod does not confirm, which is a failure', async () => {
    await linked();
    keepReading();
    letTimePass();
    for (let run = 1; run <= 2; run += 1) {
      const {code, result} = await unlink('c3', '--yes');
      expect(code).toBe(1);
      const c1 = result.clusters.find(({name}) => name === 'c1');
      expect([c1?.outcome, c1?.error?.code]).toEqual(['failed', 'NOT_READY']);
      expect(c1?.error?.message).toContain('pod istiod-1 still lists cluster c3');
      expect([...secretsOf('c1'), ...secretsOf('c2')].filter((name) => name.endsWith('c3'))).toEqual([]);
      expect(secretsOf('c3')).toEqual([]);
    }
  });

  it.each([
    ['lost the endpoints of another cluster', ['c1'], 1],
    ['still has an endpoint of every other cluster', ['c1', 'c2'], 0],
  ])('confirms that istiod %s', async (_, kept, code) => {
    await linked();
    const {current} = mesh.istiod('c1').monitor.says;
    const before = current['/debug/endpointShardz'] as () => object;
    current['/debug/endpointShardz'] = () => {
      if (secretsOf('c1').includes('istio-remote-secret-c3')) return before();
      const shards = Object.fromEntries(kept.map((id) => [`Kubernetes/${id}`, [{}]]));
      return {'cart.shop.svc.cluster.local': {shop: {Shards: shards}}};
    };
    letTimePass();
    const run = await unlink('c3', '--yes');
    expect(run.code).toBe(code);
    const error = run.result.clusters.find(({name}) => name === 'c1')?.error;
    expect(error?.message.includes('no longer has endpoints of cluster c2') ?? false).toBe(code === 1);
  });

  it('is not confirmed while istiod still has endpoints of the cluster, although it no longer lists it', async () => {
    await linked();
    const {current} = mesh.istiod('c1').monitor.says;
    current['/debug/endpointShardz'] = () => ({
      'cart.shop.svc.cluster.local': {
        shop: {Shards: {'Kubernetes/c1': [{}], 'Kubernetes/c2': [{}], 'Kubernetes/c3': [{}]}},
      },
    });
    letTimePass();
    const {code, result} = await unlink('c3', '--yes');
    const error = result.clusters.find(({name}) => name === 'c1')?.error;
    expect([code, error?.code]).toEqual([1, 'NOT_READY']);
    expect(error?.message).toContain('pod istiod-1 still has endpoints of cluster c3');
  });

  it('changes one reader first, and no other one if the command times out meanwhile', async () => {
    await linked();
    keepReading();
    expect((await runCommand(Unlink, ['c3', '--yes', '--timeout', '6s'], mesh.env)).code).toBe(124);
    expect(secretsOf('c1')).not.toContain('istio-remote-secret-c3');
    expect(secretsOf('c2')).toContain('istio-remote-secret-c3');
    expect(secretsOf('c3')).toContain('kubectl-mesh-reader-c2');
  });

  it('does the other side if the cluster is unreachable, and reports that', async () => {
    await linked();
    mesh.cluster('c3').fault({}, {status: 503}, Number.POSITIVE_INFINITY);
    const {code, result} = await unlink('c3', '--yes');
    expect(code).toBe(4);
    expect(outcomes(result)).toEqual(['c3 unknown', 'c1 done', 'c2 done']);
    expect([...secretsOf('c1'), ...secretsOf('c2')].filter((name) => name.endsWith('c3'))).toEqual([]);
    expect(secretsOf('c3')).toHaveLength(4);
  });

  it('changes nothing if another cluster is unreachable, unless it may keep going', async () => {
    await linked();
    mesh.cluster('c1').fault({}, {status: 503}, Number.POSITIVE_INFINITY);
    const stopped = await unlink('c3', '--yes');
    expect(stopped.code).toBe(4);
    expect(secretsOf('c2')).toContain('istio-remote-secret-c3');
    const {result} = await unlink('c3', '--yes', '--keep-going');
    expect(outcomes(result)).toEqual(['c3 done', 'c1 unknown', 'c2 done']);
  });

  it('does what is left after a run that ended early', async () => {
    await linked();
    mesh.cluster('c2').fault({verb: 'delete', resource: 'secrets'}, {status: 403}, 1);
    const first = await unlink('c3', '--yes');
    expect(first.code).not.toBe(0);
    const {code, result} = await unlink('c3', '--yes');
    expect(code).toBe(0);
    expect(result.clusters.some(({outcome}) => outcome === 'done')).toBe(true);
    expect(['c1', 'c2', 'c3'].flatMap(secretsOf).filter((name) => name.endsWith('c3'))).toEqual([]);
    expect(secretsOf('c3')).toEqual([]);
  });

  it('removes remote secrets of istioctl, and reports that their token stays valid', async () => {
    await linked(['c1', 'c2']);
    const config = mesh.cluster('c1').secretText('istio-system/istio-remote-secret-c2').c2 ?? '';
    const claims = {
      sub: 'system:serviceaccount:istio-system:istio-reader-service-account',
      'kubernetes.io/serviceaccount/secret.name': 'istio-reader-service-account-istio-remote-secret-token',
    };
    const token = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2ln'].join('.');
    const text = config.replace(/token: .*/, `token: ${token}`);
    expect(text).toContain(token);
    mesh.cluster('c1').put(remoteSecret('istio-remote-secret-c2', {c2: text}));
    const {code, result, stdout} = await unlink('c2', '--yes');
    expect(code).toBe(0);
    expect(secretsOf('c1')).toEqual([]);
    expect(result.clusters.find(({name}) => name === 'c1')?.lasting).toEqual([
      {peer: 'c2', secret: 'istio-remote-secret-c2', tokenSecret: claims['kubernetes.io/serviceaccount/secret.name']},
    ]);
    const [revoke] = result.notes.filter((note) => typeof note === 'string' && note.includes('delete secret'));
    expect(revoke).toContain(
      'kubectl --context ctx-c2 -n istio-system delete secret istio-reader-service-account-istio-remote-secret-token',
    );
    expect(stdout).not.toContain(token);
  });

  it('finds a remote secret of any name by what istiod reports, and keeps the other clusters in it', async () => {
    await linked();
    const fake = mesh.cluster('c1');
    const {c2 = ''} = fake.secretText('istio-system/istio-remote-secret-c2');
    const {c3 = ''} = fake.secretText('istio-system/istio-remote-secret-c3');
    for (const name of ['c2', 'c3']) fake.remove('Secret', `istio-system/istio-remote-secret-${name}`);
    fake.put(remoteSecret('both', {c2, c3}));
    const {code} = await unlink('c3', '--yes');
    expect(code).toBe(0);
    expect(Object.keys(fake.secretText('istio-system/both'))).toEqual(['c2']);
  });

  it.each([
    ['adds the credential of another cluster: that one stays', ['c3'], 'delete', ['c2', 'c3'], ['c2']],
    ['removes the other one: the Secret is deleted', ['c2', 'c3'], 'patch', ['c3'], undefined],
  ])('reads a Secret again if another client %s', async (_, before, verb, meanwhile, after) => {
    await linked();
    const fake = mesh.cluster('c1');
    const texts = Object.fromEntries(
      ['c2', 'c3'].map((name) => [name, fake.secretText(`istio-system/istio-remote-secret-${name}`)[name] ?? '']),
    );
    const byHand = (keys: readonly string[]): void => {
      const data = Object.fromEntries(keys.map((key) => [key, texts[key] ?? '']));
      fake.put({...remoteSecret('by-hand', data), metadata: {...remoteSecret('by-hand', data).metadata, uid: 'u'}});
    };
    for (const name of ['c2', 'c3']) fake.remove('Secret', `istio-system/istio-remote-secret-${name}`);
    byHand(before);
    fake.before({verb, resource: 'secrets', name: 'by-hand'}, () => {
      byHand(meanwhile);
    });
    expect((await unlink('c3', '--yes')).code).toBe(0);
    const left = fake.get('Secret', 'istio-system/by-hand');
    expect(left && Object.keys(left.data as object)).toEqual(after);
  });

  it('unlinks a cluster that is no longer in mesh.yaml from the others', async () => {
    await linked();
    const file = join(mesh.dir, 'mesh.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/ {2}- name: c3\n(?: {4}.*\n)*/, ''));
    const {code, result} = await unlink('c3', '--yes');
    expect(code).toBe(0);
    expect(outcomes(result)).toEqual(['c1 done', 'c2 done']);
    expect([...secretsOf('c1'), ...secretsOf('c2')].filter((name) => name.endsWith('c3'))).toEqual([]);
    const unknown = await runCommand(Unlink, ['c4'], mesh.env);
    expect(unknown.code).toBe(2);
  });

  it('reports what it cannot show or confirm if the debug endpoint is disabled, and removes everything nevertheless', async () => {
    await linked(['c1', 'c2']);
    const off = {status: 404, text: '404 page not found'};
    mesh.istiod('c1').monitor.says.instead = {'/debug/clusterz': off, '/debug/endpointShardz': off};
    const {code, result} = await unlink('c2', '--yes');
    expect(code).toBe(0);
    expect(secretsOf('c1')).toEqual([]);
    const c1 = result.clusters.find(({name}) => name === 'c1');
    expect([c1?.outcome, c1?.losing, c1?.proven]).toEqual(['done', undefined, undefined]);
    expect(result.warnings.filter(({cluster}) => cluster === 'c1')).toHaveLength(2);
  });

  it('names each missing right', async () => {
    await linked();
    mesh.cluster('c2').deny({verb: 'get', resource: 'secrets'});
    const {code, result} = await unlink('c3', '--yes');
    expect(code).toBe(4);
    expect(result.clusters.find(({name}) => name === 'c2')?.error?.message).toContain('get secrets');
    expect(secretsOf('c1')).toContain('istio-remote-secret-c3');
  });

  it('does not report a cluster as unchanged whose istiod may read the target through another Secret', async () => {
    await linked();
    mesh.cluster('c2').remove('Secret', 'istio-system/istio-remote-secret-c3');
    mesh.cluster('c2').deny({verb: 'list', resource: 'pods'});
    const {code, result} = await unlink('c3', '--yes');
    expect([code, result.clusters.find(({name}) => name === 'c2')]).toMatchObject([
      4,
      {outcome: 'unknown', error: {code: 'FORBIDDEN'}},
    ]);
  });
});

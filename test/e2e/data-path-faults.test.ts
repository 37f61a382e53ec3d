/**
 * Faults of endpoint discovery among three clusters on one network: what each costs in responses, which check of verify names it,
 * and that the printed command brings the responses back. Faults of different pairs exist at the same time.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {stringify} from 'yaml';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {declareMesh, deployWorkloads} from './harness/data-path/mesh-steps.js';
import {expectEvenShares} from './harness/data-path/shares.js';
import {echo, echoLabels} from './harness/data-path/workloads.js';
import {at} from './harness/mesh.js';
import {findings, type CheckRow} from './harness/mesh-cli.js';
import {HarnessError, eventually} from './harness/processes.js';
import {
  createRemoteSecret,
  deleteRemoteSecret,
  editRemoteKubeconfig,
  editRemoteSecret,
  knownClusters,
  readerToken,
  remoteKubeconfig,
  remoteSecret,
  statusWith,
  withTimes,
  type RemoteKubeconfig,
} from './harness/remote-secrets.js';

const example = fileURLToPath(new URL('../../examples/multi-primary-one-network/run.sh', import.meta.url));

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network1', three: 'network1'});
  await declareMesh(path, path.clusters);
  await path.cli.script(example, {});
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

/** A fault of pairs of clusters. */
interface Fault {
  readonly title: string;
  /** READER PEER, by name. */
  readonly pairs: readonly `${string} ${string}`[];
  /** The check that names it, for each of the pairs. */
  readonly check: `MESH${number}`;
  readonly seed: (reader: Cluster, peer: Cluster) => Promise<void>;
  /**
   * An istiod that runs keeps its open requests to the peer, and with a changed remote secret its endpoints, too, until it has read
   * the peer with the new one (1.31.0:pkg/kube/multicluster/cluster.go, Run): the fault is felt when istiod restarts.
   */
  readonly isFeltAfterRestart?: true;
  /** False: requests do not notice it. */
  readonly costsResponses?: false;
}

const rounds: readonly (readonly Fault[])[] = [
  [
    {
      title: 'istiod ignores a remote secret, because another Secret had the cluster before',
      pairs: ['three one'],
      check: 'MESH506',
      seed: async (reader, peer) => {
        const secret = await remoteSecret(reader, peer.name);
        await deleteRemoteSecret(reader, peer.name);
        await knows(reader, peer, undefined);
        await createRemoteSecret(reader, 'theirs', secret);
        await knows(reader, peer, 'theirs');
        await createRemoteSecret(reader, secret.metadata.name, secret);
        await reader.kubectl('-n', 'istio-system', 'delete', 'secret', 'theirs');
      },
    },
    {
      title: 'a remote secret was deleted',
      pairs: ['three two'],
      check: 'MESH501',
      seed: (reader, peer) => deleteRemoteSecret(reader, peer.name),
    },
    {
      title: 'two clusters have the remote secrets of each other',
      pairs: ['one two', 'two one'],
      check: 'MESH503',
      seed: async (reader, peer) => {
        const [theirs, ours] = [
          (await remoteSecret(reader, peer.name)).data,
          (await remoteSecret(peer, reader.name)).data,
        ];
        await editRemoteSecret(reader, peer.name, () => ({[peer.name]: ours?.[reader.name] ?? ''}));
        await editRemoteSecret(peer, reader.name, () => ({[reader.name]: theirs?.[peer.name] ?? ''}));
      },
    },
    {
      title: 'a remote secret has another name',
      pairs: ['one three'],
      check: 'MESH501',
      seed: async (reader, peer) => {
        const secret = await remoteSecret(reader, peer.name);
        await deleteRemoteSecret(reader, peer.name);
        await knows(reader, peer, undefined);
        await createRemoteSecret(reader, 'theirs', secret);
        await knows(reader, peer, 'theirs');
      },
      costsResponses: false,
    },
  ],
  [
    {
      title: 'the key in a remote secret is the CLUSTER_ID of the reader itself',
      pairs: ['three two'],
      check: 'MESH501',
      seed: async (reader, peer) => {
        await editRemoteSecret(reader, peer.name, (data) => ({[reader.name]: data[peer.name] ?? ''}));
      },
    },
    {
      title: 'the CA in a remote secret is another one',
      pairs: ['two three'],
      check: 'MESH505',
      seed: writtenWith(({clusters}) => {
        const meshRoot = readFileSync(join(path.cli.workDir, 'root-cert.pem'));
        at(clusters, 0).cluster['certificate-authority-data'] = meshRoot.toString('base64');
      }),
    },
    {
      title: 'only the workstation can use the address in a remote secret',
      pairs: ['one three'],
      check: 'MESH505',
      seed: writtenWith(({clusters}) => {
        at(clusters, 0).cluster.server = 'https://kubernetes.docker.internal:6443';
      }),
    },
    {
      title: 'a token was revoked',
      pairs: ['one two'],
      check: 'MESH503',
      seed: async (reader, peer) => {
        const token = await readerToken(reader, peer.name);
        await peer.api.remove(`/api/v1/namespaces/istio-system/secrets/kubectl-mesh-reader-${reader.name}`);
        await expect.poll(() => statusWith(peer, token), {timeout: 60_000}).toBe(401);
      },
      isFeltAfterRestart: true,
    },
    {
      title: 'a token has expired',
      pairs: ['two one'],
      check: 'MESH503',
      seed: async (reader, peer) => {
        const token = withTimes(peer, await readerToken(reader, peer.name), {issued: -91, expires: -1});
        await editRemoteKubeconfig(reader, peer.name, ({users}) => {
          at(users, 0).user.token = token;
        });
      },
      isFeltAfterRestart: true,
    },
  ],
];

/**
 * A remote secret with another kubeconfig from the beginning: after a mere change, istiod keeps the endpoints that it has. Not for
 * one that was changed before: after its deletion, istiod may wait for its informers forever, and follow no remote secret
 * (1.31.0:pkg/kube/multicluster/secretcontroller.go, deleteCluster; pkg/kube/informerfactory/factory.go, Shutdown).
 */
function writtenWith(change: (config: RemoteKubeconfig) => void): Fault['seed'] {
  return async (reader, peer) => {
    const secret = await remoteSecret(reader, peer.name);
    const config = await remoteKubeconfig(reader, peer.name);
    change(config);
    await deleteRemoteSecret(reader, peer.name);
    await knows(reader, peer, undefined);
    const data = {[peer.name]: Buffer.from(stringify(config)).toString('base64')};
    await createRemoteSecret(reader, secret.metadata.name, {...secret, data});
  };
}

/** Waits until the reader's istiod reads the peer from this Secret, or from none. */
async function knows(reader: Cluster, peer: Cluster, secret: string | undefined): Promise<void> {
  const wanted = secret === undefined ? undefined : `istio-system/${secret}`;
  await eventually(`istiod of ${reader.name} to read ${peer.name} from ${secret ?? 'no Secret'}`, async () => {
    const row = (await knownClusters(reader)).find(({id}) => id === peer.name);
    const isSo = row?.secretName === wanted && (wanted === undefined || row?.syncStatus === 'synced');
    return isSo || undefined;
  });
}

async function restartIstiod(cluster: Cluster): Promise<void> {
  const rollout = (...args: string[]): Promise<string> =>
    cluster.kubectl('-n', 'istio-system', 'rollout', ...args, 'deployment/istiod');
  await rollout('restart');
  await rollout('status', '--timeout=150s');
}

function clusterNamed(name: string | undefined): Cluster {
  const found = path.clusters.find((cluster) => cluster.name === name);
  if (found === undefined) throw new HarnessError(`no cluster ${name ?? ''}`);
  return found;
}

const readerOf = (pair: string): string => pair.split(' ')[0] ?? '';

const subjectOf = ({id, cluster = '', peer = ''}: CheckRow): string => `${id} ${cluster} ${peer}`.trim();

// First, while every istiod still has the remote secrets with which it started.
describe('istiod has another CLUSTER_ID than the one that it gives to proxies', () => {
  let named: readonly CheckRow[] = [];
  const other = () => clusterNamed('three');

  it('costs the other clusters the responses of new pods, which get no certificate', async () => {
    await other().kubectl('-n', 'istio-system', 'set', 'env', 'deployment/istiod', 'CLUSTER_ID=Kubernetes');
    await other().kubectl('-n', 'istio-system', 'rollout', 'status', 'deployment/istiod', '--timeout=150s');
    const selector = Object.entries(echoLabels).map((label) => label.join('='));
    await other().kubectl('-n', echo.namespace, 'delete', 'pod', '-l', selector.join(','), '--wait=false');
    const left = path.clusters.filter((cluster) => cluster !== other());
    for (const reader of left) await expectEvenShares(path, reader, left);
  });

  it('is named by its own check', async () => {
    // It also counts the requests for certificates that it rejects.
    await expect
      .poll(
        async () => {
          named = findings(await path.cli.verify());
          return named.map(subjectOf);
        },
        {timeout: 60_000},
      )
      .toEqual(['MESH309 three', 'MESH418 three']);
  });

  it('is fixed by the printed command', async () => {
    const fix = named.find(({id}) => id === 'MESH418')?.fix ?? '';
    const ran = await path.cli.shell(fix);
    expect([fix, ran.code, ran.code === 0 ? '' : `${ran.stdout}${ran.stderr}`]).toEqual([fix, 0, '']);
    for (const reader of path.clusters) await expectEvenShares(path, reader, path.clusters);
    expect(findings(await path.cli.verify('--wait', '--timeout', '150s'))).toEqual([]);
  });
});

describe.each(rounds.map((faults) => ({faults, titles: faults.map(({title}) => title).join('; ')})))(
  '$titles',
  ({faults}) => {
    const expected = faults.flatMap(({check, pairs}) => pairs.map((pair) => `${check} ${pair}`));
    let named: readonly CheckRow[] = [];

    it('costs each reader the responses of the peer, and nothing else', async () => {
      for (const {pairs, seed} of faults) {
        const [reader, peer] = at(pairs, 0).split(' ');
        await seed(clusterNamed(reader), clusterNamed(peer));
      }
      const restarted = faults.flatMap(({isFeltAfterRestart, pairs}) =>
        isFeltAfterRestart ? pairs.map(readerOf) : [],
      );
      await Promise.all([...new Set(restarted)].map((name) => restartIstiod(clusterNamed(name))));
      const lost = faults.flatMap(({costsResponses = true, pairs}) => (costsResponses ? pairs : []));
      for (const reader of path.clusters) {
        const left = path.clusters.filter((peer) => !lost.includes(`${reader.name} ${peer.name}`));
        await expectEvenShares(path, reader, left);
      }
    });

    it('is named by its own check', async () => {
      await expect
        .poll(
          async () => {
            named = findings(await path.cli.verify());
            return named.map((row) => (row.result === 'unknown' ? `${subjectOf(row)} unknown` : subjectOf(row))).sort();
          },
          // Within a minute after a remote secret was written, it is unknown whether istiod follows it.
          {timeout: 120_000},
        )
        .toEqual([...expected].sort());
    });

    it('is fixed by the printed commands', async () => {
      const inOrder = expected.flatMap((subject) => named.filter((row) => subjectOf(row) === subject));
      for (const fix of new Set(inOrder.map(({fix = ''}) => fix))) {
        const ran = await path.cli.shell(fix);
        expect([fix, ran.code, ran.code === 0 ? '' : `${ran.stdout}${ran.stderr}`]).toEqual([fix, 0, '']);
      }
      for (const reader of path.clusters) await expectEvenShares(path, reader, path.clusters);
      expect(findings(await path.cli.verify('--wait', '--timeout', '150s'))).toEqual([]);
    });
  },
);

import {describe, expect, it} from 'vitest';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {putCacerts, runIstiod, type FakeIstiod} from '../helpers/trust-mesh.js';
import {clusterNames, meshBox, type Box} from './harness/box.js';
import {endGroup, strike} from './harness/interrupt.js';
import {expectExit} from './harness/run.js';
import {expectWholeWorkDir, journalFaults} from './harness/work-dir-rules.js';

const files = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'] as const;
const rotate = ['trust', 'rotate', 'cluster-ca', '--yes'];

type Texts = Record<string, string>;

async function caOf(box: Box, name: string): Promise<Texts> {
  const texts = await Promise.all(files.map(async (file) => [file, await box.read(`${name}/${file}`)] as const));
  return Object.fromEntries(texts);
}

const secretOf = (kube: FakeKube, name: string, secret = 'cacerts'): Texts =>
  kube.cluster(`ctx-${name}`).secretText(`istio-system/${secret}`);

/** A mesh of three clusters with an istiod each, as `trust push` leaves it. */
async function runningMesh(): Promise<{box: Box; kube: FakeKube; stop: () => Promise<void>}> {
  const kube = await startFakeKube(clusterNames.map((name) => `ctx-${name}`));
  const box = await meshBox([kube.bin]);
  const istiods: FakeIstiod[] = [];
  for (const name of clusterNames) {
    const own = await caOf(box, name);
    putCacerts(kube.cluster(`ctx-${name}`), own);
    istiods.push(await runIstiod(kube, kube.cluster(`ctx-${name}`), own));
  }
  const stop = async (): Promise<void> => {
    await Promise.all(istiods.map((one) => one.stop()));
    await kube.stop();
    await box.dispose();
  };
  return {box, kube, stop};
}

/** The requests of each step in a cluster: the copy of the old CA, the new one, and the proof. */
const requests = [
  {verb: 'create', resource: 'secrets', name: 'cacerts-previous'},
  {verb: 'update', resource: 'secrets', name: 'cacerts'},
  {verb: 'get', resource: 'configmaps'},
] as const;

const moments = [
  ...[1, 3, 5, 8, 11, 14].map(
    (afterChanges) => [`after ${String(afterChanges)} changes of files`, {afterChanges}] as const,
  ),
  ...clusterNames.flatMap((cluster) =>
    requests.map((request) => [`at ${request.verb} ${request.resource} in ${cluster}`, {cluster, request}] as const),
  ),
];

describe('trust rotate cluster-ca, killed', () => {
  it.each(moments)('%s, loses no key; the next run completes what this one began', async (_when, moment) => {
    const {box, kube, stop} = await runningMesh();
    const old = Object.fromEntries(clusterNames.map((name) => [name, secretOf(kube, name)]));
    let pid: number | undefined;
    if ('request' in moment) {
      const cluster = kube.cluster(`ctx-${moment.cluster}`);
      // The first read of the ConfigMap is the plan's, before the write.
      cluster.before(
        moment.request,
        () => {
          const isProof = cluster.writes.some(({verb}) => verb === 'update');
          if (pid !== undefined && (moment.request.verb !== 'get' || isProof)) process.kill(pid, 'SIGKILL');
        },
        9,
      );
    }
    await box.run(rotate, {
      onStart: (child) => {
        pid = child.pid;
        if ('afterChanges' in moment) strike(child, 'SIGKILL', {...moment, folder: box.work});
      },
      stdio: 'ignore',
    });
    endGroup(pid);
    pid = undefined;
    await expectWholeWorkDir(box.work, clusterNames);
    expect(await journalFaults(box.work)).toEqual([]);
    // Once a killed run's files are in place, what it issued and did not push:
    expectExit(await box.run(['certs', 'generate']), 0, 'recovery');
    const issued = Object.fromEntries(
      await Promise.all(clusterNames.map(async (name) => [name, await caOf(box, name)] as const)),
    );
    for (const name of clusterNames) {
      const live = secretOf(kube, name);
      // The cluster has the old CA or the new one as a whole; the old one is not gone before it is saved.
      expect([old[name], issued[name]]).toContainEqual(live);
      if (live['ca-key.pem'] !== old[name]?.['ca-key.pem'])
        expect(secretOf(kube, name, 'cacerts-previous')).toEqual(old[name]);
    }
    expectExit(await box.run(rotate), 0, 'again');
    expect(await journalFaults(box.work)).toEqual([]);
    for (const name of clusterNames) {
      const live = secretOf(kube, name);
      expect(live).toEqual(await caOf(box, name));
      expect(live['ca-cert.pem']).not.toBe(old[name]?.['ca-cert.pem']);
      const wasPushed = kube.cluster(`ctx-${name}`).writes.filter(({verb}) => verb === 'update').length > 1;
      // What was issued is pushed, and not issued again.
      if (!wasPushed && issued[name]?.['ca-cert.pem'] !== old[name]?.['ca-cert.pem'])
        expect(live).toEqual(issued[name]);
    }
    expectExit(await box.run(['trust', 'push', '-o', 'json']), 0, 'push');
    await stop();
  });
});

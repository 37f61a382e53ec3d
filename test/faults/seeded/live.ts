/** Faults that only a running istiod shows. */
import {requestCertificate} from '../../e2e/harness/certificate-request.js';
import {eventually} from '../../e2e/harness/processes.js';
import {fetchText} from '../../e2e/harness/port-forward.js';
import {at} from '../../e2e/harness/mesh.js';
import type {PlayedPod} from '../../e2e/harness/kubelet.js';
import {inIstioSystem, inTurn, rolledOut} from '../harness/by-hand.js';
import {createCacerts} from '../harness/cas.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

/** Waits for so many ready istiods, and no other. */
function istiods(lab: Lab, cluster: string, count: number): Promise<readonly PlayedPod[]> {
  return eventually(`${String(count)} istiods in ${cluster}`, () => {
    const pods = lab.cluster(cluster).kubelet?.pods ?? [];
    return pods.length === count && pods.every(({ready}) => ready) ? pods : undefined;
  });
}

/** So many istiods for the time of a fault. */
function replicas(cluster: string, count: number): Fault['seed'] {
  return async (lab) => {
    const scale = async (to: number): Promise<void> => {
      await inIstioSystem(cluster, 'scale', 'deployment/istiod', `--replicas=${String(to)}`)(lab);
      await istiods(lab, cluster, to);
    };
    await scale(count);
    return () => scale(1);
  };
}

/** A renewed CA in files and Secret; the istiod at this index does not see it: its node's kubelet is stuck. */
function renewedWithout(cluster: string, count: number, index: number): Fault['seed'] {
  return async (lab) => {
    const stuck = at(await istiods(lab, cluster, count), index);
    lab.cluster(cluster).kubelet?.holdVolumes(stuck.name);
    await lab.cli.must('certs', 'generate', cluster, '--renew', '--yes');
    await createCacerts(lab, cluster);
    // The others reload within seconds: what they report follows.
    const end = new Set<string>();
    await eventually('the others have reloaded', async () => {
      const others = (await istiods(lab, cluster, count)).filter(({name}) => name !== stuck.name);
      const lines = await Promise.all(others.map(({ports}) => expiryOf(ports[15014])));
      lines.forEach((line) => end.add(line));
      return count === 1 || (end.size > 1 && lines.length === count - 1) || undefined;
    });
    return undefined;
  };
}

async function expiryOf(port: number): Promise<string> {
  return /^citadel_server_cert_chain_expiry_timestamp .*$/m.exec(await fetchText(port, '/metrics'))?.[0] ?? '';
}

const chainFaults: readonly Fault[] = [
  {
    id: 'MESH303-not-loaded',
    title: 'istiod serves the CA from before a renewal: its volume does not follow the Secret',
    cluster: 'one',
    says: /^istiod-\S+ is signed by/,
    seed: renewedWithout('one', 1, 0),
    fix: 'as printed',
  },
  {
    id: 'MESH303-one-of-two',
    title: 'one of two istiods serves the CA from before a renewal',
    cluster: 'one',
    says: /^istiod-\S+ is signed by/,
    seed: inTurn(replicas('one', 2), renewedWithout('one', 2, 1)),
    fix: 'as printed',
  },
  {
    id: 'MESH308-not-loaded',
    title: 'istiod reports the expiry of the CA from before a renewal, and its chain is not requested',
    cluster: 'one',
    says: /reports that its CA expires/,
    verifyArgs: ['--skip', 'MESH303'],
    seed: renewedWithout('one', 1, 0),
    fix: 'as printed',
  },
];

/** Certificate requests that istiod must refuse. */
function refusedRequests(cluster: string, count: number, known: boolean): Fault['seed'] {
  return async (lab) => {
    const pod = at(await istiods(lab, cluster, 1), 0);
    const token = await lab.cluster(cluster).api.token('default', 'default', ['istio-ca']);
    for (let sent = 0; sent < count; sent++) {
      await requestCertificate(pod, {csr: 'no request', clusterId: cluster, ...(known && {token})});
    }
    return undefined;
  };
}

const signingFaults: readonly Fault[] = [
  {
    id: 'MESH309-request-refused',
    title: 'istiod could not sign a certificate request',
    cluster: 'one',
    result: 'warning',
    says: /CSR_ERROR 1/,
    seed: refusedRequests('one', 1, true),
    fix: 'as printed',
  },
  {
    id: 'MESH309-nobody-known',
    title: 'istiod authenticates none of its callers, and has issued nothing',
    cluster: 'two',
    result: 'warning',
    says: /rejected 4 of 4/,
    seed: inTurn(
      async (lab) => {
        // A new process: it has counted nothing yet.
        await inIstioSystem('two', 'rollout', 'restart', 'deployment/istiod')(lab);
        await inIstioSystem('two', 'rollout', 'status', 'deployment/istiod')(lab);
        return undefined;
      },
      refusedRequests('two', 4, false),
    ),
    fix: 'as printed',
  },
];

const clusterFaults: readonly Fault[] = [
  {
    id: 'MESH412-other-name',
    title: "an argument gives istiod another cluster name than its Deployment's CLUSTER_ID",
    cluster: 'one',
    says: /names its own cluster uno/,
    seed: async (lab) => {
      const argument = {op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--clusterID=uno'};
      const patch = JSON.stringify([argument]);
      await inIstioSystem('one', 'patch', 'deployment/istiod', '--type=json', '-p', patch)(lab);
      await rolledOut(lab.cluster('one'));
      return undefined;
    },
    fix: {
      person: 'rolls the Deployment back',
      act: async (lab) => {
        await inIstioSystem('one', 'rollout', 'undo', 'deployment/istiod')(lab);
        await rolledOut(lab.cluster('one'));
      },
    },
  },
];

export const liveFaults: readonly Fault[] = [...chainFaults, ...signingFaults, ...clusterFaults];

/**
 * Faults between two clusters on two networks: who no longer reaches whom, in responses to the load generator and in the matrix of
 * verify --traffic, and what verify names as the cause. One mesh, which is healthy between the rounds.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataResource} from './harness/api.js';
import {changed, created, type Undo} from './harness/changes.js';
import type {Cluster} from './harness/cluster.js';
import type {DataPath} from './harness/data-path/data-path.js';
import {deployWorkloads, restartClient, restartEcho, startTwoNetworks} from './harness/data-path/mesh-steps.js';
import {expectEvenSharesThroughGateways, expectOnly} from './harness/data-path/shares.js';
import {matrixOf, trafficNamespace, trafficSelector, type Pair} from './harness/data-path/traffic.js';
import {clusterLabel, echo, echoLabels} from './harness/data-path/workloads.js';
import {
  withOtherNetwork,
  withOtherPort,
  withOtherSelector,
  withoutAddress,
  withoutAutoPassthrough,
  withoutNamespaceLabel,
} from './harness/gateway-seeds.js';
import {Loop} from './harness/loop.js';
import {at} from './harness/mesh.js';
import {MeshCli, findings} from './harness/mesh-cli.js';

let path: DataPath;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  path = await startTwoNetworks();
  [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  await deployWorkloads(path);
  // Packets to another network are dropped without an answer: 10 s each time, by default.
  const rule = `/apis/networking.istio.io/v1/namespaces/${echo.namespace}/destinationrules/connection-per-request`;
  for (const cluster of path.clusters) {
    await created(cluster, policyPath('authorizationpolicies', echo.namespace), ownClients);
    await changed(cluster, rule, {spec: {trafficPolicy: {connectionPool: {tcp: {connectTimeout: '1s'}}}}});
  }
});
afterAll(() => path.sandbox.close());

/** Something wrong with a cluster. */
interface Fault {
  readonly title: string;
  readonly cluster: 'one' | 'two';
  readonly seed: (cluster: Cluster) => Promise<Undo>;
  /** Who no longer reaches whom. */
  readonly lost: readonly Pair[];
  /** The check that names it, also without requests. */
  readonly check?: `MESH${number}`;
  /** What the matrix names as the cause; default: the check. */
  readonly cause?: RegExp;
}

const rounds: readonly (readonly Fault[])[] = [
  [
    {
      title: 'the gateway of two has no address',
      cluster: 'two',
      seed: withoutAddress,
      lost: ['one two'],
      check: 'MESH411',
    },
  ],
  [
    {
      title: 'the gateway of one has another port',
      cluster: 'one',
      seed: withOtherPort,
      lost: ['two one'],
      check: 'MESH411',
    },
    {
      title: 'the Service of the gateway of two selects no pod',
      cluster: 'two',
      seed: withOtherSelector,
      lost: ['one two'],
      check: 'MESH411',
    },
  ],
  [
    {
      title: 'the gateway of one is labeled with another network',
      cluster: 'one',
      seed: withOtherNetwork,
      lost: ['two one'],
      check: 'MESH421',
    },
    {
      title: 'the cross-network Gateway of two is not AUTO_PASSTHROUGH',
      cluster: 'two',
      seed: withoutAutoPassthrough,
      lost: ['one two'],
      check: 'MESH420',
    },
  ],
  [
    {
      // Injected pods have the label, which comes first (1.31.0:pilot/pkg/serviceregistry/kube/controller/controller.go, Network).
      title: 'the namespace of Istio in one lacks the network label, which pods with sidecars do not need',
      cluster: 'one',
      seed: withoutNamespaceLabel,
      lost: [],
      check: 'MESH401',
    },
    {
      // The mode of the whole mesh yields to that of a namespace (1.31.0:pilot/pkg/security/authn/policy_applier.go,
      // ComposePeerAuthentication), and istiod applies it to the pods of other clusters, too.
      title: 'a PeerAuthentication in two ends the mutual TLS of pods, which clients in one use',
      cluster: 'two',
      seed: withPlaintextPods,
      // Without mutual TLS, no client is known to be of the own namespace.
      lost: ['one two', 'two two'],
      cause: /PeerAuthentication/,
    },
  ],
  [
    {
      title: 'an AuthorizationPolicy of the mesh in two denies every request',
      cluster: 'two',
      seed: (cluster) => created(cluster, policyPath('authorizationpolicies', 'istio-system'), denyAll),
      lost: ['one two', 'two two'],
      cause: /AuthorizationPolicy/,
    },
  ],
  [
    {
      title: 'two has another root',
      cluster: 'two',
      seed: withOtherRoot,
      lost: ['one two', 'two one'],
      check: 'MESH301',
    },
  ],
];

const policyPath = (kind: string, namespace: string): string =>
  `/apis/security.istio.io/v1/namespaces/${namespace}/${kind}/test`;

/** As in the namespace of verify --traffic. */
const ownClients = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: {name: 'test'},
  spec: {rules: [{from: [{source: {namespaces: [echo.namespace]}}]}]},
};

const denyAll = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: {name: 'test'},
  spec: {action: 'DENY', rules: [{}]},
};

/** Pods of the load generator's service, and of that of verify --traffic once its namespace exists, accept plain text only. */
async function withPlaintextPods(cluster: Cluster): Promise<Undo> {
  const plaintext = (matchLabels: object): object => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: {name: 'test'},
    spec: {selector: {matchLabels}, mtls: {mode: 'DISABLE'}},
  });
  const own = policyPath('peerauthentications', echo.namespace);
  const undo = await created(cluster, own, plaintext({...echoLabels, [clusterLabel]: cluster.name}));
  const loop = new Loop(100, async () => {
    const selector = await trafficSelector(cluster);
    if (selector !== undefined) {
      await created(cluster, policyPath('peerauthentications', trafficNamespace), plaintext(selector));
    }
  });
  loop.start();
  return async () => {
    await loop.stop();
    await undo();
  };
}

/** Another work directory gives the cluster a CA under a root of its own; pods that start then have certificates of that. */
async function withOtherRoot(cluster: Cluster): Promise<Undo> {
  const {name, context, planes} = cluster;
  const push = ['trust', 'push', name, '--yes', '--allow-root-change', '--restart-istiod'];
  const other = new MeshCli(path.sandbox, planes, {[context]: cluster}, 'other');
  await other.must('certs', 'generate', name);
  const pushed = await bundleOf(cluster);
  await other.must(...push, '--context', context);
  await restartUnder(cluster, (bundle) => bundle !== pushed);
  return async () => {
    await path.cli.must(...push);
    await restartUnder(cluster, (bundle) => bundle === pushed);
  };
}

/** Pods that start before istiod has published its root trust the one before it. */
async function restartUnder(cluster: Cluster, isPublished: (bundle: string | undefined) => boolean): Promise<void> {
  await expect.poll(async () => isPublished(await bundleOf(cluster)), {timeout: 90_000}).toBe(true);
  await Promise.all([restartEcho(path, cluster), restartClient(path, cluster)]);
}

async function bundleOf({api}: Cluster): Promise<string | undefined> {
  const bundle = `/api/v1/namespaces/${echo.namespace}/configmaps/istio-ca-root-cert`;
  return (await api.get<DataResource>(bundle)).data?.['root-cert.pem'];
}

for (const faults of rounds) {
  // Vitest's own formatting would shorten the titles.
  describe(faults.map(({title}) => title).join('; '), () => {
    const lost = faults.flatMap((fault) => fault.lost);
    const undos: Undo[] = [];

    it('costs the responses that it must, and no others', async () => {
      for (const {cluster, seed} of faults) undos.push(await seed(clusterNamed(cluster)));
      for (const from of path.clusters) {
        const answering = path.clusters.filter(({name}) => !lost.includes(`${from.name} ${name}`));
        if (answering.length === path.clusters.length) await expectEvenSharesThroughGateways(path, from, answering);
        else await expectOnly(path, from, answering);
      }
    });

    it('is named by its check', async () => {
      const checks = faults.flatMap(({check = []}) => check);
      await expect
        .poll(async () => findings(await path.cli.verify()).map(({id}) => id), {timeout: 60_000})
        .toEqual(expect.arrayContaining(checks));
    });

    it('turns exactly these pairs of the matrix red, and is named as the cause', async () => {
      const matrix = await matrixOf(path);
      const red = matrix.filter(({reached}) => !reached);
      expect(red.map(({pair}) => pair).sort()).toEqual([...lost].sort());
      for (const {lost: pairs, check = '', cause = new RegExp(check)} of faults) {
        for (const {pair, named} of red) if (pairs.includes(pair)) expect(named, pair).toMatch(cause);
      }
    });

    it('costs none once it is undone', async () => {
      for (const undo of undos) await undo();
      for (const from of path.clusters) await expectEvenSharesThroughGateways(path, from, path.clusters);
      expect(findings(await path.cli.verify('--wait', '--timeout', '150s'))).toEqual([]);
    });
  });
}

function clusterNamed(name: Fault['cluster']): Cluster {
  return name === 'one' ? one : two;
}

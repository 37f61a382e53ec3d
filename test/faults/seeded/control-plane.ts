/** Faults of the control planes: MESH4xx. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Fault} from '../harness/fault.js';
import {dataOf, editData, inIstioSystem, inTurn, installedOtherwise, kubectl, rolledOut} from '../harness/by-hand.js';
import {nameFaults} from './names.js';
import {giveAddress, takeAddress} from '../../e2e/harness/load-balancers.js';
import {eventually} from '../../e2e/harness/processes.js';

const label = 'topology.istio.io/network';

/** What is judged of an istiod, and of nothing where there is none. */
const nothingRuns = [
  ...['MESH205 two', 'MESH409', 'MESH410 two', 'MESH416 two'],
  ...['MESH501', 'MESH503', 'MESH504', 'MESH505'].map((id) => `${id} two one`),
];

const namespaceFaults: readonly Fault[] = [
  {
    id: 'MESH401-network-label-gone',
    title: "the network label was removed from Istio's namespace",
    cluster: 'two',
    says: /no label topology\.istio\.io\/network/,
    seed: kubectl('two', 'label', 'namespace', 'istio-system', `${label}-`),
    fix: 'as printed',
  },
  {
    id: 'MESH401-other-network',
    title: "Istio's namespace is labeled with a network other than the declared one",
    cluster: 'two',
    says: /topology\.istio\.io\/network=network9/,
    seed: kubectl('two', 'label', 'namespace', 'istio-system', `${label}=network9`, '--overwrite'),
    fix: 'as printed',
  },
  {
    id: 'MESH401-namespace-deleted',
    title: "Istio's namespace was deleted",
    cluster: 'two',
    says: /no namespace istio-system/,
    silences: [...nothingRuns, 'MESH415 two'],
    seed: kubectl('two', 'delete', 'namespace', 'istio-system', '--timeout=120s'),
    fix: 'as printed',
  },
];

/** No node takes new pods, and the pods of a Deployment are deleted. */
function cordonAndDelete(cluster: string, app: string): Fault['seed'] {
  return inTurn(
    kubectl(cluster, 'cordon', '-l', 'kubernetes.io/os=linux'),
    inIstioSystem(cluster, 'delete', 'pod', '-l', `app=${app}`),
    async (lab) => {
      const on = lab.cluster(cluster);
      await eventually(`a pending pod of ${app}`, async () => {
        const pods = await on.kubectl('-n', 'istio-system', 'get', 'pod', '-l', `app=${app}`, '-o', 'json');
        return pods.includes('"reason": "Unschedulable"') || undefined;
      });
      return undefined;
    },
  );
}

const workloadFaults: readonly Fault[] = [
  {
    id: 'MESH402-scaled-to-0',
    title: 'istiod was scaled to 0',
    cluster: 'one',
    says: /scaled to 0/,
    seed: inIstioSystem('one', 'scale', 'deployment/istiod', '--replicas=0'),
    fix: 'as printed',
  },
  {
    id: 'MESH402-bundle-edited-meanwhile',
    title: 'istiod was scaled to 0, and a trust bundle was edited meanwhile',
    cluster: 'one',
    says: /scaled to 0/,
    seed: inTurn(inIstioSystem('one', 'scale', 'deployment/istiod', '--replicas=0'), async (lab) => {
      const on = lab.cluster('one');
      await eventually('no istiod', () => on.kubelet?.pods.length === 0 || undefined);
      const path = '/api/v1/namespaces/default/configmaps/istio-ca-root-cert';
      await editData(on, path, (data) => {
        data['root-cert.pem'] = `# edited\n${data['root-cert.pem'] ?? ''}`;
      });
      return undefined;
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH402-deployment-deleted',
    title: "istiod's Deployment was deleted",
    cluster: 'two',
    says: /no istiod Deployment/,
    silences: nothingRuns,
    seed: inIstioSystem('two', 'delete', 'deployment', 'istiod'),
    fix: 'as printed',
  },
  {
    id: 'MESH402-crash-loop',
    title: 'a new istiod with an unknown cipher suite is in CrashLoopBackOff beside the old one',
    cluster: 'one',
    says: /CrashLoopBackOff|exited \d+ times?, last with exit code/,
    seed: inTurn(
      inIstioSystem(
        'one',
        'patch',
        'deployment',
        'istiod',
        '--type=json',
        '-p',
        '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--tls-cipher-suites=TLS_RSA_WITH_RC4"}]',
      ),
      async (lab) => {
        const on = lab.cluster('one');
        await eventually('a crash loop', async () => {
          const pods = await on.kubectl('-n', 'istio-system', 'get', 'pod', '-l', 'app=istiod', '-o', 'json');
          return pods.includes('CrashLoopBackOff') || undefined;
        });
        return undefined;
      },
    ),
    fix: {
      person: 'rolls the Deployment back',
      act: async (lab) => {
        const on = lab.cluster('one');
        await on.kubectl('-n', 'istio-system', 'rollout', 'undo', 'deployment/istiod');
        await rolledOut(on);
      },
    },
  },
  {
    id: 'MESH402-no-node',
    title: 'istiod was evicted and cannot be scheduled',
    cluster: 'two',
    says: /Pending: Unschedulable/,
    seed: cordonAndDelete('two', 'istiod'),
    fix: {
      person: 'frees capacity on a node',
      act: async (lab) => {
        await lab.cluster('two').kubectl('uncordon', '-l', 'kubernetes.io/os=linux');
      },
    },
  },
  {
    id: 'MESH403-scaled-to-0',
    title: 'the ingress gateway was scaled to 0',
    cluster: 'one',
    says: /istio-ingressgateway has no pod: it is scaled to 0/,
    seed: inIstioSystem('one', 'scale', 'deployment/istio-ingressgateway', '--replicas=0'),
    fix: 'as printed',
  },
  {
    id: 'MESH403-no-node',
    title: 'the ingress gateway was evicted and cannot be scheduled',
    cluster: 'one',
    says: /Pending: Unschedulable/,
    seed: cordonAndDelete('one', 'istio-ingressgateway'),
    fix: {
      person: 'frees capacity on a node',
      act: async (lab) => {
        await lab.cluster('one').kubectl('uncordon', '-l', 'kubernetes.io/os=linux');
      },
    },
  },
];

const settingFaults: readonly Fault[] = [
  {
    id: 'MESH405-installed-otherwise',
    title: 'istioctl installed the cluster with another network',
    cluster: 'two',
    says: /istiod has network network9/,
    seed: installedOtherwise('two', (text) => text.replace(/ network: \S+/, ' network: network9')),
    fix: 'as printed',
  },
  {
    id: 'MESH406-installed-otherwise',
    title: 'istioctl installed the cluster with another meshID',
    cluster: 'one',
    says: /istiod has meshID mesh2/,
    seed: installedOtherwise('one', (text) => text.replace(/meshID: \S+/, 'meshID: mesh2')),
    fix: 'as printed',
  },
  {
    id: 'MESH407-config-map-edited',
    title: 'the trust domain in ConfigMap istio was edited manually',
    cluster: 'one',
    says: /istiod has trust domain example\.org/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      await editData(on, '/api/v1/namespaces/istio-system/configmaps/istio', (data) => {
        data.mesh = (data.mesh ?? '').replace('trustDomain: cluster.local', 'trustDomain: example.org');
      });
      await eventually('the edit', async () => {
        return (await dataOf(on, 'configmaps', 'istio'))?.mesh?.includes('example.org') ?? undefined;
      });
      return undefined;
    },
    fix: 'as printed',
  },
];

const declaredTwice = 'revisions: [canary, default]';
const declaredOnce = 'revisions: [default]';

const revisionFaults: readonly Fault[] = [
  {
    id: 'MESH408-undeclared-revision',
    title: 'a second revision is installed that mesh.yaml does not declare',
    shape: 'declared',
    cluster: 'one',
    result: 'warning',
    says: /istiod-canary has revision canary, which mesh\.yaml does not declare/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      const text = lab.read('one', 'install.yaml').replace('profile: default', 'profile: minimal\n  revision: canary');
      const file = join(lab.setting.sandbox.dir, 'canary.yaml');
      writeFileSync(file, text.replace('name: kubectl-mesh', 'name: canary'));
      await on.istioctl('install', '-f', file, '-y');
      await rolledOut(on, 'istiod-canary');
      return async () => {
        await on.istioctl('uninstall', '--revision', 'canary', '-y');
        await on.kubectl('-n', 'istio-system', 'wait', '--for=delete', 'deployment/istiod-canary', '--timeout=60s');
        lab.edit('mesh.yaml', (mesh) => mesh.replace(declaredTwice, declaredOnce));
      };
    },
    fix: {editor: (text) => text.replace(declaredOnce, declaredTwice)},
  },
  {
    id: 'MESH408-revision-missing',
    title: 'mesh.yaml declares a revision that is not installed',
    shape: 'declared',
    cluster: 'one',
    result: 'warning',
    says: /no istiod has the declared revision canary/,
    seed: (lab) => {
      lab.edit('mesh.yaml', (text) => text.replace(declaredOnce, declaredTwice));
      return Promise.resolve(undefined);
    },
    fix: {editor: (text) => text.replace(declaredTwice, declaredOnce)},
  },
];

const gatewayFaults: readonly Fault[] = [
  {
    id: 'MESH411-pending',
    title: "the load balancer withdrew an east-west gateway's address",
    shape: 'networks',
    says: /two: Service istio-system\/istio-eastwestgateway has no address: its load balancer is pending/,
    silences: ['MESH421 two'],
    seed: async (lab) => {
      await takeAddress(lab.cluster('two'));
      return undefined;
    },
    fix: {person: 'raises the load balancer quota', act: (lab) => giveAddress(lab.cluster('two'))},
  },
  {
    id: 'MESH411-no-gateway',
    title: 'the east-west gateway of a network was uninstalled',
    shape: 'networks',
    says: /two: no gateway for network2/,
    silences: ['MESH421 two'],
    seed: inIstioSystem('two', 'delete', 'deployment,service', '-l', 'istio=eastwestgateway'),
    fix: 'as printed',
  },
  {
    id: 'MESH411-cluster-ip',
    title: "an east-west gateway's Service was changed to ClusterIP",
    shape: 'networks',
    says: /two: Service istio-system\/istio-eastwestgateway has no address: it is of type ClusterIP/,
    silences: ['MESH421 two'],
    seed: async (lab) => {
      await takeAddress(lab.cluster('two'));
      const patch = '{"spec": {"type": "ClusterIP"}}';
      return inIstioSystem('two', 'patch', 'service/istio-eastwestgateway', '-p', patch)(lab);
    },
    fix: {person: 'waits for the load balancer', act: (lab) => giveAddress(lab.cluster('two'))},
  },
];

export const controlPlaneFaults: readonly Fault[] = [
  ...namespaceFaults,
  ...workloadFaults,
  ...nameFaults,
  ...settingFaults,
  ...revisionFaults,
  ...gatewayFaults,
];

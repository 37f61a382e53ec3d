/** Faults of cluster names: what istiod, its proxies and mesh.yaml call a cluster. */
import {join} from 'node:path';
import {inIstioSystem, inTurn, installedOtherwise, rolledOut} from '../harness/by-hand.js';
import type {Fault, Undo} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

/** istioctl installs `two` again as it was, and link lets `one` read it; istiod and all proxies are new then. */
async function installAsTwo(lab: Lab, meshYaml: string): Promise<void> {
  const on = lab.cluster('two');
  if (lab.read('mesh.yaml') !== meshYaml) lab.edit('mesh.yaml', () => meshYaml);
  await lab.cli.must('install', 'render', 'two');
  await on.istioctl('install', '-f', join(lab.cli.workDir, 'two', 'install.yaml'), '-y');
  await rolledOut(on);
  await lab.cli.must('link', '--yes');
}

/** `two` is installed under another name; the undo installs it under its own, and takes back what a fix declared. */
function installedAs(name: string): Fault['seed'] {
  return async (lab): Promise<Undo> => {
    const meshYaml = lab.read('mesh.yaml');
    await installedOtherwise('two', (text) => text.replace('clusterName: two', `clusterName: ${name}`))(lab);
    return () => installAsTwo(lab, meshYaml);
  };
}

export const nameFaults: readonly Fault[] = [
  {
    id: 'MESH404-default-name',
    title: "the cluster runs under Istio's default name, and mesh.yaml does not declare it",
    cluster: 'two',
    says: /istiod has clusterName Kubernetes/,
    seed: installedAs('Kubernetes'),
    fix: 'as printed',
    leaves: {
      checks: ['MESH111', 'MESH501'],
      act: async (lab) => {
        await lab.cli.must('install', 'render', 'two');
        await lab.cli.must('link', '--yes');
      },
    },
  },
  {
    id: 'MESH404-installed-as-other',
    title: "istioctl installed the cluster under the other cluster's name",
    cluster: 'two',
    says: /istiod has clusterName one/,
    seed: installedOtherwise('two', (text) => text.replace('clusterName: two', 'clusterName: one')),
    fix: {
      person: 'installs the cluster under its own name again',
      act: (lab) => installAsTwo(lab, lab.read('mesh.yaml')),
    },
  },
  {
    id: 'MESH418-istiod-set-env',
    title: "istiod's CLUSTER_ID was changed manually",
    cluster: 'two',
    says: /istiod has clusterName Kubernetes, but configures proxies with two/,
    seed: inTurn(inIstioSystem('two', 'set', 'env', 'deployment/istiod', 'CLUSTER_ID=Kubernetes'), async (lab) => {
      await rolledOut(lab.cluster('two'));
      return undefined;
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH418-gateway-set-env',
    title: "a gateway's ISTIO_META_CLUSTER_ID was changed manually",
    cluster: 'two',
    says: /istio-ingressgateway has clusterName Kubernetes/,
    seed: inIstioSystem('two', 'set', 'env', 'deployment/istio-ingressgateway', 'ISTIO_META_CLUSTER_ID=Kubernetes'),
    fix: 'as printed',
  },
  {
    id: 'MESH418-injector',
    title: "the clusterName in the injector's values was edited",
    cluster: 'two',
    says: /istiod has clusterName two, but configures proxies with Kubernetes/,
    seed: async (lab) => {
      const values = await lab.type(
        `kubectl --context ${lab.cluster('two').context} -n istio-system get configmap istio-sidecar-injector -o 'jsonpath={.data.values}'`,
      );
      const changed = JSON.parse(values) as {global: {multiCluster: {clusterName: string}}};
      changed.global.multiCluster.clusterName = 'Kubernetes';
      const patch = JSON.stringify({data: {values: JSON.stringify(changed)}});
      return inIstioSystem('two', 'patch', 'configmap', 'istio-sidecar-injector', '-p', patch)(lab);
    },
    fix: 'as printed',
  },
  {
    id: 'MESH118-slash',
    title: 'the cluster runs under a name with a slash, which no remote secret can have',
    cluster: 'two',
    result: 'warning',
    says: /team\/two/,
    silences: ['MESH501', 'MESH503', 'MESH504', 'MESH505', 'MESH506', 'MESH507'].map((id) => `${id} one two`),
    seed: async (lab) => {
      const meshYaml = lab.read('mesh.yaml');
      await inIstioSystem('one', 'delete', 'secret', 'istio-remote-secret-two')(lab);
      await installedAs('team/two')(lab);
      lab.edit('mesh.yaml', (text) => text.replace('name: two', 'name: two\n    istioName: team/two'));
      await lab.cli.must('install', 'render', 'two');
      return () => installAsTwo(lab, meshYaml);
    },
    fix: {
      person: 'installs the cluster under another name, where no workload runs yet',
      act: async (lab) => {
        await installAsTwo(lab, lab.read('mesh.yaml').replace('    istioName: team/two\n', ''));
      },
    },
  },
];

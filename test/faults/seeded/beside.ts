/** Faults that lie beside what istiod has loaded: namespaces that it does not serve, other CAs, another control plane. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Cluster} from '../../e2e/harness/cluster.js';
import {addressArguments, istiodPorts} from '../../e2e/harness/istiod.js';
import {eventually} from '../../e2e/harness/processes.js';
import {dataOf, editData, kubectl, inTurn} from '../harness/by-hand.js';
import type {Fault, Undo} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

const configMaps = '/api/v1/namespaces/istio-system/configmaps';
const bundle = 'istio-ca-root-cert';

/** istiod serves only namespaces with a label; namespace shop is injected without it. */
const excludeShop: Fault['seed'] = async (lab) => {
  const on = lab.cluster('one');
  await on.kubectl('label', 'namespace', 'istio-system', 'default', 'istio-discovery=enabled');
  await on.kubectl('create', 'namespace', 'shop');
  await on.kubectl('label', 'namespace', 'shop', 'istio-injection=enabled');
  await eventually('the bundle', () => dataOf(on, 'configmaps', bundle, 'shop'));
  const before = (await dataOf(on, 'configmaps', 'istio'))?.mesh ?? '';
  await editData(on, `${configMaps}/istio`, (data) => {
    data.mesh = `${before}\ndiscoverySelectors:\n- matchLabels: {istio-discovery: enabled}\n`;
  });
  // istiod watches its mesh config: from now on it does not repair what it does not select.
  await eventually('istiod no longer serves shop', async () => {
    await on.kubectl('-n', 'shop', 'delete', 'configmap', bundle, '--ignore-not-found');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return (await dataOf(on, 'configmaps', bundle, 'shop')) === undefined || undefined;
  });
  return async () => {
    await on.kubectl('delete', 'namespace', 'shop');
    await editData(on, `${configMaps}/istio`, (data) => {
      data.mesh = before;
    });
    await on.kubectl('label', 'namespace', 'istio-system', 'default', 'istio-discovery-');
  };
};

const discoveryFaults: readonly Fault[] = [
  {
    id: 'MESH302-injected-outside-selectors',
    title: 'discoverySelectors exclude an injected namespace: its pods cannot start',
    shape: 'alone',
    cluster: 'one',
    says: /no bundle.* in shop: injected, but excluded by meshConfig\.discoverySelectors/,
    seed: excludeShop,
    fix: 'as printed',
  },
  {
    id: 'MESH302-fell-out-of-selectors',
    title: 'an injected namespace fell out of discoverySelectors and keeps an old bundle',
    shape: 'alone',
    cluster: 'one',
    says: /different from the pushed one, in shop: injected/,
    seed: inTurn(
      excludeShop,
      kubectl('one', '-n', 'shop', 'create', 'configmap', bundle, '--from-literal=root-cert.pem=old'),
    ),
    fix: 'as printed',
  },
];

const caFaults: readonly Fault[] = [
  {
    id: 'MESH415-half-way-to-istio-csr',
    title: 'the injector was configured for istio-csr, which mesh.yaml does not declare',
    shape: 'alone',
    cluster: 'one',
    says: /values\.global\.caAddress is cert-manager-istio-csr/,
    seed: async (lab) => {
      await editData(lab.cluster('one'), `${configMaps}/istio-sidecar-injector`, (data) => {
        const values = JSON.parse(data.values ?? '') as {global: Record<string, unknown>};
        values.global.caAddress = 'cert-manager-istio-csr.cert-manager.svc:443';
        data.values = JSON.stringify(values);
      });
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH415-gateway',
    title: 'a gateway requests its certificate from istio-csr, which mesh.yaml does not declare',
    shape: 'alone',
    cluster: 'one',
    says: /Deployment istio-ingressgateway: CA_ADDR is/,
    seed: kubectl(
      'one',
      '-n',
      'istio-system',
      'set',
      'env',
      'deployment/istio-ingressgateway',
      'CA_ADDR=cert-manager-istio-csr.cert-manager.svc:443',
    ),
    fix: 'as printed',
  },
];

const other = 'istio-system-174';

/**
 * Starts an istiod of another namespace, without Secret cacerts: it signs with its own root. It runs without a Deployment and
 * with the administrator's rights, so that nothing but the bundles shows it, and the lock that their writer holds.
 */
async function startOther({setting: {sandbox}}: Lab, on: Cluster): Promise<Undo> {
  await on.kubectl('create', 'namespace', other);
  const cwd = join(sandbox.dir, other);
  mkdirSync(cwd);
  const ports = await istiodPorts();
  const program = on.planes.path('pilot-discovery');
  const istiod = sandbox.start({
    name: other,
    command: program,
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      KUBECONFIG: on.kubeconfig,
      POD_NAMESPACE: other,
      POD_NAME: 'istiod-174',
      CLUSTER_ID: 'one',
    },
    args: ['discovery', ...(await addressArguments(program, ports))],
  });
  return async () => {
    await istiod.stop();
    await on.kubectl('delete', 'namespace', other);
  };
}

/** Ends the other istiod of the lab. */
let stopOther: Undo = () => Promise.resolve();

const rivalFaults: readonly Fault[] = [
  {
    id: 'MESH416-second-control-plane',
    title: 'an istiod of another namespace, without cacerts, writes its own root into every namespace',
    shape: 'alone',
    cluster: 'one',
    says: /a control plane in namespace istio-system-174 .* the bundle changes hands/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      stopOther = await startOther(lab, on);
      await eventually('another bundle', async () => {
        const found = await dataOf(on, 'configmaps', bundle, 'default');
        return found?.['root-cert.pem'] !== lab.read('root-cert.pem') || undefined;
      });
      return undefined;
    },
    fix: {
      person: 'decides that the other control plane is not needed, and removes it',
      act: () => stopOther(),
    },
  },
];

export const besideFaults: readonly Fault[] = [...discoveryFaults, ...caFaults, ...rivalFaults];

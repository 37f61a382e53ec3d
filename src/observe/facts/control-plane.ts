/** Facts about control planes, webhooks, gateways and namespaces. */
import {
  enablesAmbient,
  readControlPlanes,
  readGateways,
  type ControlPlaneObjects,
} from '../../domain/facts/read/control-plane.js';
import {readHubs} from '../../domain/facts/read/hubs.js';
import {ztunnelLabels, ztunnelSelector} from '../../domain/facts/read/proxies.js';
import {podAddresses, podsOfSelector} from '../../domain/facts/read/pods.js';
import {otherControlPlanes, readOtherControlPlane} from '../../domain/facts/read/other-control-planes.js';
import {readProxyCas} from '../../domain/facts/read/proxy-cas.js';
import {readWebhooks} from '../../domain/facts/read/webhooks.js';
import {ofRevision} from '../../domain/istio/names.js';
import {selects} from '../../domain/kube/objects.js';
import type {Derivations} from '../fact-sources.js';
import type {Reads} from '../cluster-reader.js';

export const controlPlaneFacts: Derivations<
  | 'namespaces'
  | 'controlPlanes'
  | 'proxyCas'
  | 'otherControlPlanes'
  | 'podAddresses'
  | 'gateways'
  | 'ztunnelPods'
  | 'hubs'
  | 'webhooks'
> = {
  namespaces: async ({reads}) =>
    (await reads.read('namespaces')).map(({metadata: {name, labels = {}, deletionTimestamp}}) => ({
      name,
      labels,
      terminating: deletionTimestamp !== undefined,
    })),
  controlPlanes: async ({reads}) => {
    const [workloads, configMaps] = await Promise.all([readWorkloads(reads), reads.read('configMaps')]);
    return readControlPlanes({...workloads, configMaps});
  },
  proxyCas: async ({reads, fact}) => readProxyCas(await fact('controlPlanes'), await reads.read('configMaps')),
  otherControlPlanes: async ({reads, mesh, deps}) => {
    const [deployments, locks] = await Promise.all([reads.read('allIstiods'), reads.read('bundleLocks')]);
    const traces = otherControlPlanes({istioNamespace: mesh.istio.namespace, now: deps.now(), deployments, locks});
    return Promise.all(
      traces.map(async (trace) =>
        readOtherControlPlane(trace, await reads.read('meshConfigs', {name: ofRevision('istio', trace.revision)})),
      ),
    );
  },
  podAddresses: async ({reads}) => podAddresses(await reads.read('pods')),
  gateways: async ({reads}) => readGateways(await readWorkloads(reads)),
  ztunnelPods: async ({reads}) => {
    const [pods, deployments] = await Promise.all([reads.read('pods'), reads.read('deployments')]);
    const own = pods.filter(({metadata}) => selects({matchLabels: ztunnelLabels}, metadata.labels ?? {}));
    // Some profiles install ztunnel in another namespace, such as kube-system (openshift-ambient).
    const isElsewhere = own.length === 0 && deployments.some(enablesAmbient);
    const found = isElsewhere ? await reads.read('livingPods', {labelSelector: ztunnelSelector}) : own;
    return found.map(({metadata}) => metadata.name);
  },
  hubs: async ({reads}) => {
    const [deployments, pods, configMaps] = await Promise.all([
      reads.read('deployments'),
      reads.read('pods'),
      reads.read('configMaps'),
    ]);
    return readHubs({deployments, pods, configMaps});
  },
  webhooks: async ({reads, mesh}) => {
    const {namespace} = mesh.istio;
    const [mutating, validating] = await Promise.all([
      reads.read('mutatingWebhooks'),
      reads.read('validatingWebhooks'),
    ]);
    return [
      ...readWebhooks('MutatingWebhookConfiguration', mutating, namespace),
      ...readWebhooks('ValidatingWebhookConfiguration', validating, namespace),
    ];
  },
};

async function readWorkloads(reads: Reads): Promise<Omit<ControlPlaneObjects, 'configMaps'>> {
  const [deployments, pods] = await Promise.all([reads.read('deployments'), reads.read('pods')]);
  return {deployments, podsOf: ({spec}) => podsOfSelector(pods, spec.selector)};
}

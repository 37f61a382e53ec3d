/** What the fake istioctl installs: an istiod with the labels and the field manager of the real installer. */
import {caMounts, caVolumes} from '../ca-mount.js';
import type {FakeKube} from '../fake-kubectl/fake-kube.js';
import type {FakeObject} from '../fake-kubectl/fake-cluster.js';
import type {FakeIstioctl, IstioctlCall} from './fake-istioctl.js';

/** The result of the real installer: an istiod, recreated for other bytes. */
export function installInto(kube: FakeKube, istioctl: FakeIstioctl): (call: IstioctlCall) => {readonly stdout: string} {
  return (call) => {
    const cluster = kube.cluster(call.args[call.args.indexOf('--context') + 1] ?? '');
    const before = cluster.get('Deployment', 'istio-system/istiod');
    const same = before?.metadata.bytes === call.content;
    cluster.put(
      same && before
        ? before
        : installedIstiod({
            time: `2026-01-01T00:00:0${String(istioctl.calls.length)}Z`,
            bytes: call.content ?? '',
            clusterName: /clusterName: (\S+)/.exec(call.content ?? '')?.[1] ?? '',
          }),
    );
    cluster.put(istioGateways);
    return {stdout: '✔ Istiod installed\n✔ Installation complete\n'};
  };
}

/** The definition of Istio's Gateways. */
export const istioGateways: FakeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'gateways.networking.istio.io'},
  spec: {versions: [{name: 'v1', served: true}]},
};

/** istiod's Deployment. */
export function installedIstiod({
  version = '1.31.0',
  time = '2026-01-01T00:00:01Z',
  bytes = '',
  labels = {},
  annotations = {},
  clusterName = 'c1',
}: {
  version?: string;
  time?: string;
  bytes?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  clusterName?: string;
} = {}): FakeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'istiod',
      namespace: 'istio-system',
      bytes,
      annotations,
      labels: {
        'install.operator.istio.io/owning-resource': 'kubectl-mesh',
        'operator.istio.io/managed': 'Reconcile',
        'operator.istio.io/component': 'Pilot',
        'app.kubernetes.io/managed-by': 'Helm',
        app: 'istiod',
        'istio.io/rev': 'default',
        ...labels,
      },
      managedFields: [{manager: 'istio-operator', operation: 'Apply', time, fieldsV1: {}}],
    },
    spec: {
      selector: {matchLabels: {app: 'istiod'}},
      template: {
        spec: {
          containers: [
            {
              name: 'discovery',
              image: `istio/pilot:${version}`,
              env: [{name: 'CLUSTER_ID', value: clusterName}],
              ...caMounts,
            },
          ],
          ...caVolumes(),
        },
      },
    },
  };
}

/** The configuration of one kwokctl cluster: our programs, loopback only, free ports, and a kubelet of our own for istiod. */
import {parse, stringify} from 'yaml';
import type {ControlPlanes} from './control-planes.js';

/** Ports of a cluster's components, all on 127.0.0.1. */
export interface ClusterPorts {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly kwok: number;
}

interface Stage {
  metadata: {name: string};
  spec: {selector: {matchExpressions: {key: string; operator: string; values?: string[]}[]}};
}

/**
 * kwok.yaml as text. kwok makes every pod Running and Ready by itself, except istiod's when `playIstiod`: those get the
 * status that their process deserves, from kubelet.ts. PortForward objects lead `kubectl port-forward` to that process.
 */
export function kwokConfig(planes: ControlPlanes, ports: ClusterPorts, playIstiod: boolean): string {
  const configuration = {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokctlConfiguration',
    options: {
      runtime: 'binary',
      // The default is all addresses of the machine.
      bindAddress: '127.0.0.1',
      etcdBinary: planes.path('etcd'),
      kubeApiserverBinary: planes.path('kube-apiserver'),
      kubeControllerManagerBinary: planes.path('kube-controller-manager'),
      kubeSchedulerBinary: planes.path('kube-scheduler'),
      kwokControllerBinary: planes.path('kwok'),
      etcdPort: ports.etcd,
      etcdPeerPort: ports.etcdPeer,
      kubeApiserverPort: ports.apiServer,
      kubeControllerManagerPort: ports.controllerManager,
      kubeSchedulerPort: ports.scheduler,
      kwokControllerPort: ports.kwok,
      enableCRDs: ['PortForward'],
    },
  };
  const stages = planes.stages.map((text) => parse(text) as Stage);
  if (playIstiod) {
    for (const stage of stages) {
      if (stage.metadata.name !== 'pod-ready') continue;
      stage.spec.selector.matchExpressions.push({
        key: '.metadata.labels["app"]',
        operator: 'NotIn',
        values: ['istiod'],
      });
    }
  }
  return [configuration, ...stages].map((document) => stringify(document)).join('---\n');
}

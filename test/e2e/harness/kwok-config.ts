/** The configuration of one kwokctl cluster: our programs, our addresses, free ports, and kubelets of our own for real pods. */
import {parse, stringify} from 'yaml';
import type {ControlPlanes} from './control-planes.js';

/** Where all components of a cluster listen; an API server may have another address besides. */
export const loopback = '127.0.0.1';

/** Ports of a cluster's components. */
export interface ClusterPorts {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly kwok: number;
}

/** Pods whose processes are real: kwok leaves their status to the part of the harness that runs them. */
export interface RealPods {
  /** istiod's, run by kubelet.ts. */
  readonly istiod: boolean;
  /** Those with Istio's proxy, run by data-path/node.ts. */
  readonly proxies: boolean;
}

/** A requirement of a stage: kwok evaluates the key with jq, and it may have several values. */
interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Stage {
  metadata: {name: string};
  spec: {selector: {matchExpressions: Requirement[]}};
}

const unlessReal: Readonly<Record<keyof RealPods, Requirement>> = {
  istiod: {key: '.metadata.labels["app"]', operator: 'NotIn', values: ['istiod']},
  proxies: {key: `.spec.initContainers[]?.name, .spec.containers[].name`, operator: 'NotIn', values: ['istio-proxy']},
};

/**
 * kwok.yaml as text. kwok makes every pod Running and Ready by itself, except the real ones: those get the status that their
 * processes deserve, and `kubectl port-forward` leads to these (PortForward objects, forwards.ts). `apiAddress` is where other
 * clusters reach the API server.
 */
export function kwokConfig(planes: ControlPlanes, ports: ClusterPorts, real: RealPods, apiAddress: string): string {
  const configuration = {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokctlConfiguration',
    options: {
      runtime: 'binary',
      // The default is all addresses of the machine.
      bindAddress: loopback,
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
      // kwok itself puts only addresses of interfaces that are in use into the certificate.
      kubeApiserverCertSANs: [apiAddress],
    },
    // Its own components call the API server on 127.0.0.1, whatever its address is for others.
    ...(apiAddress !== loopback && {
      componentsPatches: [
        {name: 'kube-apiserver', extraArgs: [{key: 'bind-address', value: '0.0.0.0', override: true}]},
      ],
    }),
  };
  const stages = planes.stages.map((text) => parse(text) as Stage);
  for (const stage of stages) {
    if (stage.metadata.name !== 'pod-ready') continue;
    for (const kind of ['istiod', 'proxies'] as const) {
      if (real[kind]) stage.spec.selector.matchExpressions.push(unlessReal[kind]);
    }
  }
  return [configuration, ...stages].map((document) => stringify(document)).join('---\n');
}

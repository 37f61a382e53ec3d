/** East-west gateways as Istio's guide makes them: its script, istioctl, and the Gateway that exposes all services. */
import {join} from 'node:path';
import type {Cluster} from '../cluster.js';
import {istioSource} from '../istio-source.js';
import {output} from '../processes.js';
import type {DataPath} from './data-path.js';
import type {PlayedPod} from './played-pod.js';

/** Installs a gateway in a cluster and waits until its proxy is ready. */
export async function addGateway(path: DataPath, cluster: Cluster, network: string): Promise<PlayedPod> {
  const samples = join(await istioSource(cluster.planes), 'samples', 'multicluster');
  const operator = await output('bash', [join(samples, 'gen-eastwest-gateway.sh'), '--network', network]);
  const istioctl = cluster.planes.path('istioctl');
  const context = ['--kubeconfig', cluster.kubeconfig, '--context', cluster.context];
  await output(istioctl, ['install', '-y', '-f', '-', '--readiness-timeout', '120s', ...context], {input: operator});
  await cluster.kubectl('apply', '-n', 'istio-system', '-f', join(samples, 'expose-services.yaml'));
  return path.node(cluster).readyPod({istio: 'eastwestgateway'});
}

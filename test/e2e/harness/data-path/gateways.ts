/** East-west gateways in the tests: the Gateway API's custom resource definitions, which neither Kubernetes nor Istio brings. */
import {join} from 'node:path';
import type {Cluster} from '../cluster.js';
import {output} from '../processes.js';

/** Installs the definitions of the Gateway API's standard channel in a cluster, as users do before they use them. */
export async function installGatewayApi(cluster: Cluster): Promise<void> {
  const {istioModule} = cluster.planes;
  const found = await output('go', ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/gateway-api'], {cwd: istioModule});
  await cluster.kubectl('apply', '--server-side', '-f', join(found.trim(), 'config', 'crd', 'standard'));
}

/** What a cloud's load balancer does for the gateways between networks. */
import type {Cluster} from '../../e2e/harness/cluster.js';
import {Loop} from '../../e2e/harness/loop.js';
import type {Setting} from '../../e2e/harness/mesh.js';
import {eventually} from '../../e2e/harness/processes.js';

const service = '/api/v1/namespaces/istio-system/services/istio-eastwestgateway';
const intervalMs = 500;

interface Service {
  readonly spec: {readonly type: string};
  readonly status?: {readonly loadBalancer?: {readonly ingress?: readonly unknown[]}};
}

/** The clusters whose quota is used up. */
const withheld = new WeakSet<Cluster>();

/** Gives each east-west gateway of type LoadBalancer an address, until the sandbox closes. */
export function startCloud({sandbox, clusters}: Setting): void {
  for (const cluster of clusters) {
    const loop = new Loop(intervalMs, () => follow(cluster));
    sandbox.onClose(() => loop.stop());
    loop.start();
  }
}

async function follow(cluster: Cluster): Promise<void> {
  if (withheld.has(cluster)) return;
  const found = (await cluster.api.find(service)) as Service | undefined;
  if (found?.spec.type !== 'LoadBalancer' || hasAddress(found)) return;
  await cluster.api.patch(`${service}/status`, {status: {loadBalancer: {ingress: [{ip: '203.0.113.10'}]}}});
}

function hasAddress({status}: Service): boolean {
  return (status?.loadBalancer?.ingress ?? []).length > 0;
}

/** The quota allows an address again. */
export async function giveAddress(cluster: Cluster): Promise<void> {
  withheld.delete(cluster);
  await eventually(`the east-west gateway of ${cluster.name}`, async () => {
    const found = (await cluster.api.find(service)) as Service | undefined;
    return (found !== undefined && hasAddress(found)) || undefined;
  });
}

/** The quota is used up, and the address is withdrawn. */
export async function takeAddress(cluster: Cluster): Promise<void> {
  withheld.add(cluster);
  await cluster.api.patch(`${service}/status`, {status: {loadBalancer: null}});
}

/** What a cloud's load balancer does for the gateways between networks. */
import type {Cluster} from '../../e2e/harness/cluster.js';
import {gatewayService, hasAddress, hasQuota, type BalancedService} from '../../e2e/harness/load-balancers.js';
import {Loop} from '../../e2e/harness/loop.js';
import type {Setting} from '../../e2e/harness/mesh.js';

const intervalMs = 500;

/** Gives each east-west gateway of type LoadBalancer an address, until the sandbox closes. */
export function startCloud({sandbox, clusters}: Setting): void {
  for (const cluster of clusters) {
    const loop = new Loop(intervalMs, () => follow(cluster));
    sandbox.onClose(() => loop.stop());
    loop.start();
  }
}

async function follow(cluster: Cluster): Promise<void> {
  if (!hasQuota(cluster)) return;
  const found = (await cluster.api.find(gatewayService)) as BalancedService | undefined;
  if (found?.spec.type !== 'LoadBalancer' || hasAddress(found)) return;
  await setAddress(cluster, usualAddress);
}

/** The address that {@link startCloud} gives to gateways. */
export const usualAddress = '203.0.113.10';

/** The load balancer of the gateway gets another address. */
export async function setAddress(cluster: Cluster, ip: string): Promise<void> {
  await cluster.api.patch(`${gatewayService}/status`, {status: {loadBalancer: {ingress: [{ip}]}}});
}

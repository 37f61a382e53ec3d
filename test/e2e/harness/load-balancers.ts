/** The addresses that a cloud's load balancers give to east-west gateways, and quotas of them that are used up. */
import type {Cluster} from './cluster.js';
import {eventually} from './processes.js';

/** The Service of the gateway that istioctl installs. */
export const gatewayService = '/api/v1/namespaces/istio-system/services/istio-eastwestgateway';

/** A Service, as far as it concerns its load balancer. */
export interface BalancedService {
  readonly spec: {readonly type: string};
  readonly status?: {readonly loadBalancer?: {readonly ingress?: readonly {readonly ip?: string}[]}};
}

/** The clusters whose quota is used up: who plays their cloud gives no address. */
const withheld = new WeakSet<Cluster>();

/** Whether the cluster's cloud has an address left. */
export function hasQuota(cluster: Cluster): boolean {
  return !withheld.has(cluster);
}

/** Whether a load balancer gave the Service an address. */
export function hasAddress({status}: BalancedService): boolean {
  return (status?.loadBalancer?.ingress ?? []).length > 0;
}

/** The quota allows an address again. */
export async function giveAddress(cluster: Cluster): Promise<void> {
  withheld.delete(cluster);
  await eventually(`the east-west gateway of ${cluster.name}`, async () => {
    const found = (await cluster.api.find(gatewayService)) as BalancedService | undefined;
    return (found !== undefined && hasAddress(found)) || undefined;
  });
}

/** The quota is used up, and the address is withdrawn. */
export async function takeAddress(cluster: Cluster): Promise<void> {
  withheld.add(cluster);
  await cluster.api.patch(`${gatewayService}/status`, {status: {loadBalancer: null}});
}

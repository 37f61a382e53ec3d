/** What goes wrong with the east-west gateway of a cluster, each with the way back. */
import type {Resource} from './api.js';
import {changed, type Undo} from './changes.js';
import type {Cluster} from './cluster.js';
import {gatewayService, giveAddress, takeAddress} from './load-balancers.js';

const networkLabel = 'topology.istio.io/network';
const port = 15_443;

interface Service extends Resource {
  readonly spec: {readonly ports: readonly {readonly port: number}[]};
}

interface Gateway extends Resource {
  readonly spec: {readonly servers: readonly {readonly tls?: object}[]};
}

/** The load balancer withdraws the address of the Service. */
export async function withoutAddress(cluster: Cluster): Promise<Undo> {
  await takeAddress(cluster);
  return () => giveAddress(cluster);
}

/** The Service has another port in the place of the one for other networks. Merge patches replace lists as a whole. */
export function withOtherPort(cluster: Cluster): Promise<Undo> {
  return changed(cluster, gatewayService, (service) => ({
    spec: {ports: (service as Service).spec.ports.map((one) => (one.port === port ? {...one, port: port + 1} : one))},
  }));
}

/** The Service selects no pod. */
export function withOtherSelector(cluster: Cluster): Promise<Undo> {
  return changed(cluster, gatewayService, {spec: {selector: {istio: 'east-west-gateway'}}});
}

/** The Service is labeled with another network. */
export function withOtherNetwork(cluster: Cluster): Promise<Undo> {
  return changed(cluster, gatewayService, {metadata: {labels: {[networkLabel]: 'network9'}}});
}

/** The Gateway that exposes the services for other networks does not pass their names on. */
export function withoutAutoPassthrough(cluster: Cluster): Promise<Undo> {
  const path = '/apis/networking.istio.io/v1/namespaces/istio-system/gateways/cross-network-gateway';
  return changed(cluster, path, (gateway) => ({
    spec: {
      servers: (gateway as Gateway).spec.servers.map((server) => ({
        ...server,
        tls: {...server.tls, mode: 'PASSTHROUGH'},
      })),
    },
  }));
}

/** Istio's namespace does not name the network. */
export function withoutNamespaceLabel(cluster: Cluster): Promise<Undo> {
  return changed(cluster, '/api/v1/namespaces/istio-system', {metadata: {labels: {[networkLabel]: null}}});
}

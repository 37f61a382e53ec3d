/** Gateways between networks as Istio's guide makes them, and the cloud that gives their Services addresses. */
import {chmodSync, copyFileSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Cluster} from '../../e2e/harness/cluster.js';
import {at, type Setting} from '../../e2e/harness/mesh.js';
import {istioSource} from '../../e2e/harness/istio-source.js';
import {eventually} from '../../e2e/harness/processes.js';

const service = '/api/v1/namespaces/istio-system/services/istio-eastwestgateway';

/** What the guide calls an unpacked release, as far as gateways need it, in the user's `$ISTIO`. */
export async function unpackIstio({sandbox, clusters, cli}: Setting): Promise<void> {
  const release = join(sandbox.dir, 'istio');
  const samples = join(release, 'samples', 'multicluster');
  const script = join(samples, 'gen-eastwest-gateway.sh');
  mkdirSync(samples, {recursive: true});
  copyFileSync(
    join(await istioSource(at(clusters, 0).planes), 'samples', 'multicluster', 'gen-eastwest-gateway.sh'),
    script,
  );
  // A module cache keeps no modes.
  chmodSync(script, 0o755);
  cli.env.ISTIO = release;
}

/**
 * Gateways of the guide are injected, and no API server here reaches the istiod that would do it: lets their pods be
 * made as they are. kwok runs nothing in them anyway.
 */
export async function letPodsUninjected(cluster: Cluster): Promise<void> {
  await cluster.kubectl('label', 'namespace', 'istio-system', 'istio-injection=disabled');
}

/** What a cloud's load balancer does, here by hand. */
export async function giveAddress({api, name}: Cluster): Promise<void> {
  await eventually(`the east-west gateway of ${name}`, () => api.find(service));
  await api.patch(`${service}/status`, {status: {loadBalancer: {ingress: [{ip: '203.0.113.10'}]}}});
}

/** And what it does when the quota is used up. */
export async function takeAddress({api}: Cluster): Promise<void> {
  await api.patch(`${service}/status`, {status: {loadBalancer: null}});
}

/** The certificates that gateways between networks present for a service, where this machine can reach them. */
import pMap from 'p-map';
import type {ExposedService, GatewayChain, GatewayChainsFacts} from '../../domain/facts/facts.js';
import {requestedName} from '../../domain/facts/read/sidecar-services.js';
import {nodesAddress} from '../../domain/istio/gateway-address.js';
import {istioNameOf} from '../../domain/mesh/istio-name.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {isKnown, unknownsOf} from '../../domain/observed.js';
import {parseCertificate} from '../../domain/x509/certificate.js';
import type {FactSources} from '../fact-sources.js';

/** For the connection and the handshake: addresses that only other clusters can reach often do not answer at all. */
const timeoutMs = 3000;
/** The protocol by which a gateway recognizes mutual TLS (istio/istio pilot/pkg/networking/core/listener.go, allIstioMtlsALPNs). */
const applicationProtocols = ['istio'] as const;

/** Users who can create Services decide where connections go: the gateways of a cluster that are tried, and how many at a time. */
const maxGateways = 20;
const atOnce = 5;

/** Connects to the first address of each gateway. */
export async function deriveGatewayChains(sources: FactSources): Promise<GatewayChainsFacts> {
  const gateways = (await sources.fact('eastWestGateways')).flatMap((gateway) => {
    const address = gateway.addresses.find((one) => one !== nodesAddress);
    return address === undefined || gateway.port === undefined ? [] : [{address, port: gateway.port.number}];
  });
  if (gateways.length === 0) return {absent: 'no gateway for mutual TLS has an address here'};
  const service = await exposedService(sources);
  if (service === undefined) return {absent: 'no service with a sidecar is known here'};
  return pMap(gateways.slice(0, maxGateways), (gateway) => chainOf(gateway, service, sources), {concurrency: atOnce});
}

/** A Service with sidecars and an address of its own. */
async function exposedService(sources: FactSources): Promise<ExposedService | undefined> {
  const {cluster, reads} = sources;
  for (const host of (await discoveryOf(sources))?.get(istioNameOf(cluster)) ?? []) {
    const [name = '', namespace = ''] = host.split('.');
    const {spec} = (await reads.read('exposedService', {namespace, name})) ?? {};
    const port = spec?.ports?.find(({protocol = 'TCP'}) => protocol === 'TCP');
    // Gateways have no endpoints of headless Services.
    if (port && spec?.clusterIP !== 'None') return {host, port: port.port};
  }
  return undefined;
}

/** The Services with sidecars that the cluster's istiod has; a remote uses its primary's. */
async function discoveryOf({
  cluster,
  all,
  fact,
}: FactSources): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const discovery = await (cluster.primary === undefined
    ? fact('istiodDiscovery')
    : all.get(cluster.primary)?.fact('istiodDiscovery'));
  const parts = (discovery?.parts ?? []).map(({observed}) => observed);
  const known = parts.filter(isKnown).map(({value}) => value);
  const [failure] = unknownsOf(...parts);
  // Without any istiod that responds, nothing is known of the services, rather than that there are none.
  if (known.length === 0 && failure) throw new MeshError(failure.code, failure.message, {hints: failure.hints});
  return known.find(({sidecarServices}) => sidecarServices !== undefined)?.sidecarServices;
}

async function chainOf(
  {address, port}: {readonly address: string; readonly port: number},
  service: ExposedService,
  {deps}: FactSources,
): Promise<GatewayChain> {
  const place = `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
  try {
    const der = await deps.tls.presentedChain({
      host: address,
      port,
      servername: requestedName(service),
      applicationProtocols,
      refusesClient: true,
      timeoutMs,
    });
    const certificates = der.map((bytes) => parseCertificate(bytes, `certificate presented at ${place}`));
    return {address: place, service, certificates};
  } catch (thrown) {
    deps.signal.throwIfAborted();
    if (asMeshError(thrown).code !== 'UNREACHABLE') throw thrown;
    return {address: place, service};
  }
}

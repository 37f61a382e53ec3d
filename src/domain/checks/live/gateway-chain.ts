import {certificateFacts} from '../../facts/read/cluster-ca.js';
import {requestedName} from '../../facts/read/sidecar-services.js';
import type {GatewayChain, LiveRoots} from '../../facts/facts.js';
import {some} from '../../format.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {inspectWith, pipe, words} from '../../suggest/suggestion.js';
import type {Certificate} from '../../x509/certificate.js';
import {istiodCheck, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {describeCertificate} from '../describe.js';
import {rejectionOf} from '../trust/acceptance.js';

/** Through the gateway, a workload of the mesh answers. */
export const gatewayChainCheck = istiodCheck({
  id: 'MESH423',
  title: 'The east-west gateway leads to certificates of the mesh',
  scope: 'mesh',
  // Another issuer signs the certificates of workloads.
  appliesTo: "istiod's CA",
  implies: ['MESH601'],
  requires: ['gatewayChains', 'liveRoots'],
  judge: ({gatewayChains, liveRoots}, {mesh, now}) => {
    const roots = liveRoots.flatMap(({value}) => (value === 'ClusterTrustBundle' ? [] : [value]));
    if (roots.length === 0)
      return notApplicable('istiod publishes its roots in a ClusterTrustBundle, which is not read');
    const all = gatewayChains.flatMap(({cluster, value}) =>
      'absent' in value ? [] : value.map((chain) => ({cluster, chain})),
    );
    const presented = all.filter(({chain: {certificates = []}}) => certificates.length > 0);
    if (presented.length === 0) {
      const silent = all.map(({chain: {address, service}}) => `${address} presents nothing for ${service.host}`);
      const absent = gatewayChains.flatMap(({cluster, value}) =>
        'absent' in value ? [`${cluster.name}: ${value.absent}`] : [],
      );
      return notApplicable(some([...silent, ...absent], 3));
    }
    return findingsOr(
      presented.map((one) => findingOf(one, roots, mesh.trustDomain, now)),
      ok(presented.map(({chain: {address, service}}) => `${address}: ${service.host}`).join(', ')),
    );
  },
  expected: "a workload certificate that leads to the mesh's roots, in its trust domain",
  meaning:
    "A TLS connection from this machine to the gateway's address, for a service with sidecars as a proxy on another network requests it (server name outbound_.PORT_._.HOST, protocol istio), gets the certificate of a workload. The gateway passes the connection through, so the certificate is the workload's own: it leads to the roots that istiod publishes in a cluster of the mesh, and its SPIFFE ID is in the trust domain. At most 20 gateways of each cluster are tried. Skipped if this machine cannot reach the address, as with internal load balancers, if nothing answers there for this service, or if there is no such service.",
  breaks:
    'Something between the networks terminates TLS, or the gateway leads to another mesh: proxies on other networks reject the certificate, and their requests fail.',
  byHand:
    'openssl s_client -connect "$ADDRESS:15443" -servername "outbound_.$PORT_._.$SERVICE.$NAMESPACE.svc.cluster.local" -alpn istio -tls1_2 -showcerts </dev/null',
  fix: 'Find what presents the certificate: a load balancer that terminates TLS must pass connections through, and the address must be that of the gateway. If a workload presents a certificate of an earlier root, restart it.',
  source:
    'istio/istio pilot/pkg/networking/core/gateway.go (builtAutoPassthroughFilterChains), pilot/pkg/model/service.go (BuildDNSSrvSubsetKey), pilot/pkg/networking/core/listener.go (allIstioMtlsALPNs)',
});

function findingOf(
  {
    cluster,
    chain: {address, service, certificates = []},
  }: {readonly cluster: MeshCluster; readonly chain: GatewayChain},
  roots: readonly LiveRoots[],
  trustDomain: string,
  now: Date,
): Finding | undefined {
  const [leaf, signer] = certificates;
  // Which clusters accept it is the subject of MESH307.
  const rejections = roots.map((one) => rejectionOf(one, {certificates}, now));
  const rejection = rejections.every((one) => one !== undefined) ? rejections[0] : undefined;
  const problem = rejection?.message ?? (leaf && idProblem(leaf, trustDomain));
  if (problem === undefined) return undefined;
  const from = signer ? `signed by ${describeCertificate(certificateFacts(signer))}` : 'without its issuer';
  const name = requestedName(service);
  return {
    clusters: [cluster.name],
    observed: `${cluster.name}: ${address} presents a certificate ${from} for ${service.host}: ${problem}`,
    // Nothing to send: the connection ends.
    fix: pipe(
      inspectWith.run(':', []),
      inspectWith.run(
        'openssl',
        words`s_client -connect ${address} -servername ${name} -alpn istio -tls1_2 -showcerts`,
      ),
    ),
  };
}

/** Why a certificate is not a workload's in the trust domain; undefined if it is. */
function idProblem({extensions}: Certificate, trustDomain: string): string | undefined {
  const ids = (extensions.subjectAltNames ?? []).flatMap((name) => (name.type === 'uri' ? [name.value] : []));
  const id = ids.find((uri) => uri.startsWith('spiffe://'));
  if (id === undefined) return 'it has no SPIFFE ID';
  return id.startsWith(`spiffe://${trustDomain}/`) ? undefined : `${id} is not in trust domain ${trustDomain}`;
}

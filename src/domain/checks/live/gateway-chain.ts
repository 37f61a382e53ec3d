import {certificateFacts} from '../../facts/read/cluster-ca.js';
import {requestedName} from '../../facts/read/sidecar-services.js';
import type {GatewayChain, LiveRoots} from '../../facts/facts.js';
import {inspectWith, pipe, words} from '../../suggest/suggestion.js';
import type {Certificate} from '../../x509/certificate.js';
import {istiodCheck, type ClusterSubject, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {describeCertificate} from '../describe.js';
import {rejectionOf} from '../trust/acceptance.js';

/** Through the gateway, a workload of the mesh answers. */
export const gatewayChainCheck = istiodCheck({
  id: 'MESH423',
  title: 'The east-west gateway leads to certificates of the mesh',
  requires: ['gatewayChains', 'liveRoots'],
  judge: ({gatewayChains, liveRoots}, subject) => {
    if ('absent' in gatewayChains) return notApplicable(gatewayChains.absent);
    if (liveRoots === 'ClusterTrustBundle')
      return notApplicable('istiod publishes its roots in a ClusterTrustBundle, which is not read');
    const presented = gatewayChains.filter(({certificates = []}) => certificates.length > 0);
    if (presented.length === 0) {
      const places = gatewayChains.map(({address, service}) => `${address} presented nothing for ${service.host}`);
      return notApplicable(`${places.join(', ')}, as seen from here`);
    }
    return findingsOr(
      presented.map((one) => findingOf(one, liveRoots, subject)),
      ok(presented.map(({address, service}) => `${address}: ${service.host}`).join(', ')),
    );
  },
  expected: "a workload certificate that leads to the mesh's roots, in its trust domain",
  meaning:
    "A TLS connection from this machine to the gateway's address, for a service with sidecars as a proxy on another network requests it (server name outbound_.PORT_._.HOST, protocol istio), gets the certificate of a workload. The gateway passes the connection through, so the certificate is the workload's own: it leads to the roots that istiod publishes in the cluster, and its SPIFFE ID is in the trust domain. Skipped if this machine cannot reach the address, as with internal load balancers, if nothing answers there for this service, or if there is no such service.",
  breaks:
    'Something between the networks terminates TLS, or the gateway leads to another mesh: proxies on other networks reject the certificate, and their requests fail.',
  byHand:
    'openssl s_client -connect "$ADDRESS:15443" -servername "outbound_.$PORT_._.$SERVICE.$NAMESPACE.svc.cluster.local" -alpn istio -tls1_2 -showcerts </dev/null',
  fix: 'Find what presents the certificate: a load balancer that terminates TLS must pass connections through, and the address must be that of the gateway. If a workload presents a certificate of an earlier root, restart it.',
  source:
    'istio/istio pilot/pkg/networking/core/gateway.go (builtAutoPassthroughFilterChains), pilot/pkg/model/service.go (BuildDNSSrvSubsetKey), pilot/pkg/networking/core/listener.go (allIstioMtlsALPNs)',
});

function findingOf(
  {address, service, certificates = []}: GatewayChain,
  roots: LiveRoots,
  {mesh, now}: ClusterSubject,
): Finding | undefined {
  const [leaf, signer] = certificates;
  const rejection = rejectionOf(roots, {certificates}, now);
  const problem = rejection?.message ?? (leaf && idProblem(leaf, mesh.trustDomain));
  if (problem === undefined) return undefined;
  const from = signer ? `signed by ${describeCertificate(certificateFacts(signer))}` : 'without its issuer';
  const name = requestedName(service);
  return {
    observed: `${address} presents a certificate ${from} for ${service.host}: ${problem}`,
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
function idProblem({extensions}: Certificate, trustDomain: string | undefined): string | undefined {
  const ids = (extensions.subjectAltNames ?? []).flatMap((name) => (name.type === 'uri' ? [name.value] : []));
  const id = ids.find((uri) => uri.startsWith('spiffe://'));
  if (id === undefined) return 'it has no SPIFFE ID';
  const isOwn = trustDomain === undefined || id.startsWith(`spiffe://${trustDomain}/`);
  return isOwn ? undefined : `${id} is not in trust domain ${trustDomain}`;
}

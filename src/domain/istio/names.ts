/** Names of the objects that Istio and this program read and write in a cluster. */

/**
 * The ConfigMap to which istiod writes the trust bundle, unless PILOT_CA_CERT_CONFIGMAP names another one; the chart sets
 * that from global.trustBundleName since 1.27 (istio/istio pilot/pkg/features/pilot.go).
 */
export const defaultBundleName = 'istio-ca-root-cert';
/** The bundle's key in that ConfigMap (istio/istio pkg/config/constants/constants.go, CACertNamespaceConfigMapDataName). */
export const bundleKey = 'root-cert.pem';
/** The ConfigMap to which istiod writes revocation lists (istio/istio pilot/pkg/features/experimental.go, CRLConfigMapName). */
export const publishedListsName = 'istio-ca-crl';
/** A namespace's, Service's or Gateway's network (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go). */
export const networkLabel = 'topology.istio.io/network';
/** A proxy's own network (istio/istio pkg/model/proxy.go, NodeMetadata.Network). */
export const proxyNetworkVariable = 'ISTIO_META_NETWORK';
/**
 * The networks of which a proxy gets endpoints, besides those without a network; without it, of every network (istio/istio
 * pilot/pkg/model/proxy_view.go).
 */
export const networkViewVariable = 'ISTIO_META_REQUESTED_NETWORK_VIEW';
/**
 * The labels of the pods that istiod deploys for a Kubernetes Gateway, whose name is the value: since 1.21, and before (istio.io/v1.21:
 * news/releases/1.21.x/announcing-1.21/upgrade-notes).
 */
const gatewayNameLabels = ['gateway.networking.k8s.io/gateway-name', 'istio.io/gateway-name'] as const;

/** Returns the name of the Kubernetes Gateway for which istiod deployed a pod or Service; undefined for others. */
export function gatewayNameOf(labels: Readonly<Record<string, string>>): string | undefined {
  return gatewayNameLabels.map((label) => labels[label]).find((name) => name !== undefined);
}
/** The Secret in which istiod stores its self-signed CA (istio/istio security/pkg/pki/ca/ca.go, CASecret). */
export const selfSignedName = 'istio-ca-secret';
/**
 * istiod's secure gRPC port, where the CA that istiod has loaded signs the serving certificate (istio/istio
 * pilot/cmd/pilot-discovery/app/cmd.go, secureGRPCAddr).
 */
export const istiodSecurePort = 15012;

/**
 * The ConfigMap with which the istiods of one namespace elect the one that writes trust bundles (istio/istio
 * pilot/pkg/leaderelection/leaderelection.go, NamespaceController; a ConfigMap in every version).
 */
export const bundleLockName = 'istio-namespace-controller-election';
/** The container of a proxy (istio/istio pkg/kube/inject/inject.go, ProxyContainerName). */
export const proxyContainer = 'istio-proxy';
/** The revision of an istiod without a name. */
export const defaultRevision = 'default';

/** Returns the name of a ConfigMap of one revision: `istio`, `istio-1-29`. */
export function ofRevision(name: string, revision: string): string {
  return revision === defaultRevision ? name : `${name}-${revision}`;
}

/** The Secret that istiod mounts, and the Secret with its previous content (docs/trust.md). */
export const cacertsName = 'cacerts';
export const previousName = 'cacerts-previous';

/** Returns the name of an install record: a ConfigMap in istiod's namespace, one for each revision. */
export function recordName(revision: string | undefined): string {
  return revision === undefined ? 'kubectl-mesh-install' : `kubectl-mesh-install-${revision}`;
}

/**
 * Returns the DNS names in istiod's serving certificate, which the cluster CA signs: if name constraints exclude one of
 * them, proxies and the API server reject the certificate (istio/istio pilot/pkg/bootstrap/server.go, getDNSNames).
 */
export function istiodServingNames(namespace: string, revisions: readonly string[] = []): readonly string[] {
  const own = revisions.filter((revision) => revision !== 'default').map((revision) => `istiod-${revision}`);
  return ['istiod', 'istiod-remote', 'istio-pilot', ...own].map((name) => `${name}.${namespace}.svc`);
}

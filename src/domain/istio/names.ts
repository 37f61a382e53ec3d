/** Names of what Istio, and this program beside it, reads and writes in a cluster. */

/**
 * The ConfigMap into which istiod writes the trust bundle, unless PILOT_CA_CERT_CONFIGMAP says another, which the chart
 * sets from global.trustBundleName since 1.27 (istio/istio pilot/pkg/features/pilot.go).
 */
export const defaultBundleName = 'istio-ca-root-cert';
/** The bundle in that ConfigMap (istio/istio pkg/config/constants/constants.go, CACertNamespaceConfigMapDataName). */
export const bundleKey = 'root-cert.pem';
/** On a namespace, Service or Gateway: its network (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go). */
export const networkLabel = 'topology.istio.io/network';
/** The Secret in which an istiod that was given no CA keeps its own (istio/istio security/pkg/pki/ca/ca.go, CASecret). */
export const selfSignedName = 'istio-ca-secret';
/**
 * istiod's secure gRPC port: its certificate there is signed by the CA that it has loaded (istio/istio
 * pilot/cmd/pilot-discovery/app/cmd.go, secureGRPCAddr).
 */
export const istiodSecurePort = 15012;
/** The label by which istiod finds remote secrets (istio/istio pkg/kube/multicluster/secretcontroller.go). */
export const remoteSecretLabel = 'istio/multiCluster=true';

/** The Secret that istiod mounts, and the one that keeps what it held before (docs/trust.md). */
export const cacertsName = 'cacerts';
export const previousName = 'cacerts-previous';

/** The record of an installation: a ConfigMap beside istiod, one for each revision. */
export function recordName(revision: string | undefined): string {
  return revision === undefined ? 'kubectl-mesh-install' : `kubectl-mesh-install-${revision}`;
}

/**
 * The DNS names in istiod's own certificate, which it issues with the cluster's CA: proxies and the API server refuse it when
 * one of them is forbidden (istio/istio pilot/pkg/bootstrap/server.go, getDNSNames).
 */
export function istiodServingNames(namespace: string, revisions: readonly string[] = []): readonly string[] {
  const own = revisions.filter((revision) => revision !== 'default').map((revision) => `istiod-${revision}`);
  return ['istiod', 'istiod-remote', 'istio-pilot', ...own].map((name) => `${name}.${namespace}.svc`);
}

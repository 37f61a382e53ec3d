/** Features that only some Istio versions have. */
import {type FirstReleases, hasReached} from './since.js';
import {type IstioVersion, compareMinor, parseVersion} from './version.js';

/** The environment variable that enables root reload and trust bundle pushes, in versions that have it. */
export const multiRootVariable = 'ISTIO_MULTIROOT_MESH';
/** The environment variable that controls whether istiod reads ca-crl.pem of cacerts (default: true). */
export const caCrlVariable = 'PILOT_ENABLE_CA_CRL';
/** The proxy metadata variable with which a proxy accepts pushed trust bundles. */
export const xdsAgentVariable = 'PROXY_CONFIG_XDS_AGENT';
/** The environment variable without which istiod ignores all others of ambient mode; its profile sets it. */
export const ambientVariable = 'PILOT_ENABLE_AMBIENT';
/** The environment variable that enables ambient mode on several networks, in versions that have it (default: false). */
export const ambientNetworksVariable = 'AMBIENT_ENABLE_MULTI_NETWORK';

interface Span {
  readonly from: FirstReleases;
  /** The last minor version with the feature; absent if the newest known version has it. */
  readonly to?: string;
  readonly source: string;
}

/** The features, with the versions that have them. */
export const features = {
  /** istiod supports ISTIO_MULTIROOT_MESH (default: false in all versions): several roots, and bundles pushed to proxies. */
  multiRootMesh: {from: '1.10', source: '1.10.6:pilot/pkg/features/pilot.go'},
  /** Proxies with PROXY_CONFIG_XDS_AGENT receive trust bundles over xDS instead of at their next certificate renewal. */
  proxyConfigXdsAgent: {from: '1.10', source: 'pkg/istio-agent/xds_proxy.go, pilot/cmd/pilot-agent/options/options.go'},
  /** `values.global.meshExpansion` exposes istiod on the ingress gateway; 1.9 and later reject the field. */
  meshExpansion: {
    from: '1.6',
    to: '1.8',
    source: '1.8.6:manifests/charts/gateways/istio-ingress/templates/meshexpansion.yaml, 1.9.9:values_types.proto',
  },
  /** Networks come from the label topology.istio.io/network; in older versions `meshNetworks` must list every cluster. */
  networkLabel: {from: '1.8', source: '1.8.6:pilot/pkg/serviceregistry/kube/controller/network.go'},
  /** `values.global.trustDomain` is accepted; 1.10 and later accept only `meshConfig.trustDomain`. */
  globalTrustDomain: {
    from: '1.6',
    to: '1.9',
    source: '1.9.9 and 1.10.6:operator/pkg/apis/istio/v1alpha1/values_types.proto',
  },
  /** istiod reads the kubernetes.io/tls layout of cacerts (tls.crt, tls.key, ca.crt); older versions use a self-signed CA. */
  tlsCacerts: {from: '1.14.2', source: '1.14.2:security/pkg/pki/ca/ca.go'},
  /** istiod refuses to start with incomplete cacerts; without the key, older versions silently use a self-signed CA. */
  incompleteCacertsRefused: {
    from: '1.26.1',
    source: 'releasenotes/notes/check-cacerts-completeness.yaml, 1.25.5 and 1.26.1:pilot/pkg/bootstrap/istio_ca.go',
  },
  /** istiod is built with Go 1.24 or later, whose crypto/x509 validates policies and supports their critical extensions. */
  policyValidation: {from: '1.26', source: 'go.mod of istio/istio at 1.25.0 (go 1.22) and 1.26.0 (go 1.24)'},
  /** istiod distributes ca-crl.pem of cacerts, in the *.pem layout only and unless PILOT_ENABLE_CA_CRL is false. */
  caCrl: {from: '1.27', source: '1.27.0:security/pkg/pki/ca/ca.go, releasenotes/notes/56529.yaml'},
  /** A running istiod stops distributing lists that are removed from cacerts or emptied; older ones apply them until a restart. */
  crlCleared: {
    from: '1.31.1',
    source:
      'istio/istio#61073, istio.io: news/releases/1.31.x/announcing-1.31.1; 1.31.0:pilot/pkg/keycertbundle/watcher.go',
  },
  /** istiod can store its self-signed root in cacerts (USE_CACERTS_FOR_SELF_SIGNED_CA), with the key istio-generated. */
  cacertsForSelfSigned: {from: '1.20', source: '1.20.0:pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go'},
  /** Workload certificates expire no later than the CA that signs them. */
  leafExpiresWithSigner: {
    from: ['1.28.7', '1.29.3', '1.30.0'],
    source: 'istio/istio#59768 (releasenotes/notes/59768.yaml), security/pkg/pki/util/generate_cert.go at each release',
  },
  /** istiod returns one certificate per list element in its response to a certificate request, as ztunnel requires. */
  oneCertificatePerElement: {
    from: ['1.24.4', '1.25.1', '1.26.0'],
    source:
      'istio/ztunnel#1061, releasenotes/notes/serverca-expand-certs.yaml, 1.24.4:security/pkg/server/ca/server.go',
  },
  /** A remote cluster runs no istiod. A primary's istiod writes its bundles, but only with EXTERNAL_ISTIOD. */
  remoteWithoutIstiod: {
    from: '1.16',
    source: 'manifests/profiles/remote.yaml at 1.16.7, pilot/pkg/serviceregistry/kube/controller/multicluster.go',
  },
  /** istiod lists its clusters: `/debug/clusterz`. */
  clusterz: {from: '1.11', source: '1.11.8:pilot/pkg/xds/debug.go'},
  /**
   * The list has the status `timeout`. In older versions a cluster counts as synced as soon as the time to read it is over. This
   * is the first version that was verified to have it; it may be in 1.14 already.
   */
  clusterzReportsTimeout: {
    from: '1.16',
    source:
      'istio/istio#38491; pkg/kube/multicluster/{secretcontroller,cluster}.go (ListRemoteClusters, HasSynced, SyncDidTimeout) at 1.12, and maistra/istio as of istio/istio 1.16',
  },
  /** The list includes istiod's own cluster; in older versions it contains only the clusters of remote secrets. */
  clusterzListsItself: {from: '1.22', source: '1.22.0:pkg/kube/multicluster/secretcontroller.go'},
  /**
   * istiod lists the endpoints that it knows, by provider and cluster: `/debug/endpointShardz`. This is the first version that
   * was verified to do so.
   */
  endpointShardz: {from: '1.20.8', source: '1.20.8:pilot/pkg/xds/debug.go, pilot/pkg/model/endpointshards.go'},
  /** A reload of cacerts updates istiod's expiry metrics; in older versions they keep the values from startup. */
  expiryMetricsFollowReload: {from: '1.24', source: '1.24.0:pilot/pkg/bootstrap/istio_ca.go'},
  /** istiod exports the expiry of the CA that it signs with: citadel_server_cert_chain_expiry_timestamp. */
  caExpiryMetric: {from: '1.7', source: '1.7.0:security/pkg/server/ca/monitoring.go'},
  /** istiod counts sync timeouts of remote clusters: remote_cluster_sync_timeouts_total. */
  remoteClusterTimeoutMetric: {from: '1.9.4', source: '1.9.4:pkg/kube/secretcontroller/secretcontroller.go'},
  /** istiod exports the number of clusters that it reads: istiod_managed_clusters. */
  managedClustersMetric: {from: '1.11', source: '1.11.8:pkg/kube/multicluster/secretcontroller.go'},
  /**
   * istiod exports the sync state of each remote cluster: istiod_remote_cluster_sync_status. In 1.29 it changes to timeout
   * after 30 seconds, whatever the state is, while istiod counts only the clusters that did not sync.
   */
  remoteClusterSyncMetric: {
    from: '1.30.0',
    source: 'istio/istio#60082, istio/istio#60104, 1.30.3:pkg/kube/multicluster/cluster.go',
  },
  /** The chart mounts Secret istiod-tls, in which istio-csr stores istiod's serving certificate. */
  istiodTlsMounted: {
    from: '1.16',
    source: '1.16.0:manifests/charts/istio-control/istio-discovery/templates/deployment.yaml',
  },
  /**
   * values.global.certSigners allows istiod to approve requests for these signers, and PILOT_CERT_PROVIDER accepts one.
   * Older versions have only parts of this; this is the first version that was verified to have all of it.
   */
  kubernetesSigner: {
    from: '1.24',
    source:
      'manifests/charts/istio-control/istio-discovery/templates/clusterrole.yaml, pilot/pkg/bootstrap/certcontroller.go, security/pkg/pki/ra/k8s_ra.go',
  },
  /**
   * Ambient workloads reach other networks, if AMBIENT_ENABLE_MULTI_NETWORK is true: without it, istiod ignores the endpoints
   * of other clusters for ztunnel, and does not know the class of ambient east-west gateways.
   */
  ambientNetworks: {
    from: '1.27',
    source:
      'istio.io: news/releases/1.27.x/announcing-1.27, docs/ambient/install/multicluster; 1.31.0:pilot/pkg/features/ambient.go, pilot/pkg/serviceregistry/ambient/ambientindex.go, pilot/pkg/config/kube/gatewaycommon/classinfo.go',
  },
  /** istiod resolves a hostname as the address of another network's gateway; in older versions such a gateway is unusable. */
  gatewayHostname: {
    from: '1.13',
    source: 'istio.io: news/releases/1.13.x/announcing-1.13/change-notes (istio/istio#29359)',
  },
  /**
   * A listener of a Kubernetes Gateway can pass connections through by SNI (option gateway.istio.io/listener-protocol), and istiod sets
   * the network of the gateway that it deploys from the Gateway's label.
   */
  passthroughListener: {
    from: '1.13',
    source: 'istio/istio#36175; 1.31.0:pilot/pkg/serviceregistry/kube/conversion.go, IsAutoPassthrough',
  },
  /** A gateway routes by SNI without ISTIO_META_ROUTER_MODE; before, `sni-dnat` enables it. */
  sniRoutingByDefault: {from: '1.12', source: '1.11.8 and 1.12.9:samples/multicluster/gen-eastwest-gateway.sh'},
  /** istiod also creates ConfigMap istio-ca-root-cert in kube-system. */
  rootCertInKubeSystem: {from: '1.21', source: '1.21.0:pkg/kube/inject/initializer.go'},
} as const satisfies Record<string, Span>;

/** A key of {@link features}. */
export type Feature = keyof typeof features;

/** Reports whether a version has a feature. */
export function hasFeature(version: IstioVersion, feature: Feature): boolean {
  const span: Span = features[feature];
  if (!hasReached(version, span.from)) return false;
  const end = span.to === undefined ? undefined : parseVersion(span.to);
  return end === undefined || compareMinor(version, end) <= 0;
}

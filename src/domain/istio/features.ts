/** What some versions have and others have not. */
import {type FirstReleases, hasReached} from './since.js';
import {type IstioVersion, compareMinor, parseVersion} from './version.js';

/** The environment variable that root reload and trust bundle pushes depend on, wherever a version has it. */
export const multiRootVariable = 'ISTIO_MULTIROOT_MESH';
/** The environment variable with which istiod leaves ca-crl.pem of cacerts alone (default: it reads it). */
export const caCrlVariable = 'PILOT_ENABLE_CA_CRL';
/** The proxy metadata that makes a proxy take pushed trust bundles. */
export const xdsAgentVariable = 'PROXY_CONFIG_XDS_AGENT';

interface Span {
  readonly from: FirstReleases;
  /** Last minor that has it; absent: the newest known has it too. */
  readonly to?: string;
  readonly source: string;
}

/** What some versions have and others have not. */
export const features = {
  /** istiod knows ISTIO_MULTIROOT_MESH (default false everywhere): several roots, bundles pushed to proxies. */
  multiRootMesh: {from: '1.10', source: '1.10.6:pilot/pkg/features/pilot.go'},
  /** Proxies with PROXY_CONFIG_XDS_AGENT take trust bundles by xDS instead of at their next renewal. */
  proxyConfigXdsAgent: {from: '1.10', source: 'pkg/istio-agent/xds_proxy.go, pilot/cmd/pilot-agent/options/options.go'},
  /** `values.global.meshExpansion` exposes istiod by the ingress gateway; 1.9 and later refuse the field. */
  meshExpansion: {
    from: '1.6',
    to: '1.8',
    source: '1.8.6:manifests/charts/gateways/istio-ingress/templates/meshexpansion.yaml, 1.9.9:values_types.proto',
  },
  /** Networks come from the label topology.istio.io/network; before, `meshNetworks` has to name every cluster. */
  networkLabel: {from: '1.8', source: '1.8.6:pilot/pkg/serviceregistry/kube/controller/network.go'},
  /** `values.global.trustDomain` is accepted; from 1.10 on only `meshConfig.trustDomain`. */
  globalTrustDomain: {
    from: '1.6',
    to: '1.9',
    source: '1.9.9 and 1.10.6:operator/pkg/apis/istio/v1alpha1/values_types.proto',
  },
  /** istiod reads the kubernetes.io/tls layout of cacerts (tls.crt, tls.key, ca.crt); before, it goes self-signed. */
  tlsCacerts: {from: '1.14.2', source: '1.14.2:security/pkg/pki/ca/ca.go'},
  /** istiod does not start with some of the files of cacerts; before, one without the key goes self-signed in silence. */
  incompleteCacertsRefused: {
    from: '1.26.1',
    source: 'releasenotes/notes/check-cacerts-completeness.yaml, 1.25.5 and 1.26.1:pilot/pkg/bootstrap/istio_ca.go',
  },
  /** istiod distributes ca-crl.pem of cacerts, unless PILOT_ENABLE_CA_CRL is false; of the *.pem layout only. */
  caCrl: {from: '1.27', source: '1.27.0:security/pkg/pki/ca/ca.go, releasenotes/notes/56529.yaml'},
  /** istiod can keep its own root in cacerts (USE_CACERTS_FOR_SELF_SIGNED_CA), marked with the key istio-generated. */
  cacertsForSelfSigned: {from: '1.20', source: '1.20.0:pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go'},
  /** Workload certificates end no later than the CA that signs them. */
  leafExpiresWithSigner: {
    from: ['1.28.7', '1.29.3', '1.30.0'],
    source: 'istio/istio#59768 (releasenotes/notes/59768.yaml), security/pkg/pki/util/generate_cert.go at each release',
  },
  /** istiod answers a certificate request with one certificate in each element, as ztunnel reads them. */
  oneCertificatePerElement: {
    from: ['1.24.4', '1.25.1', '1.26.0'],
    source:
      'istio/ztunnel#1061, releasenotes/notes/serverca-expand-certs.yaml, 1.24.4:security/pkg/server/ca/server.go',
  },
  /** A remote cluster runs no istiod of its own; one of a primary writes its bundles, with EXTERNAL_ISTIOD only. */
  remoteWithoutIstiod: {
    from: '1.16',
    source: 'manifests/profiles/remote.yaml at 1.16.7, pilot/pkg/serviceregistry/kube/controller/multicluster.go',
  },
  /** istiod lists the clusters that it knows: `/debug/clusterz`. */
  clusterz: {from: '1.11', source: '1.11.8:pilot/pkg/xds/debug.go'},
  /** Its own cluster stands in that list, too; before, only those of remote secrets. */
  clusterzListsItself: {from: '1.22', source: '1.22.0:pkg/kube/multicluster/secretcontroller.go'},
  /** istiod's expiry metrics follow a reload of cacerts; before, they are as of its start. */
  expiryMetricsFollowReload: {from: '1.24', source: '1.24.0:pilot/pkg/bootstrap/istio_ca.go'},
  /** istiod exports when the CA that it signs with ends: citadel_server_cert_chain_expiry_timestamp. */
  caExpiryMetric: {from: '1.7', source: '1.7.0:security/pkg/server/ca/monitoring.go'},
  /** istiod counts remote clusters that it could not read in time: remote_cluster_sync_timeouts_total. */
  remoteClusterTimeoutMetric: {from: '1.9.4', source: '1.9.4:pkg/kube/secretcontroller/secretcontroller.go'},
  /** istiod exports how many clusters it reads: istiod_managed_clusters. */
  managedClustersMetric: {from: '1.11', source: '1.11.8:pkg/kube/multicluster/secretcontroller.go'},
  /** istiod exports the state of each remote cluster: istiod_remote_cluster_sync_status. */
  remoteClusterSyncMetric: {from: '1.29', source: '1.29.0:pkg/kube/multicluster/secretcontroller.go'},
  /** The chart mounts Secret istiod-tls, which istio-csr fills with the certificate that istiod presents. */
  istiodTlsMounted: {
    from: '1.16',
    source: '1.16.0:manifests/charts/istio-control/istio-discovery/templates/deployment.yaml',
  },
  /**
   * values.global.certSigners gives istiod the right to approve for these signers, and PILOT_CERT_PROVIDER takes one.
   * Older versions have parts of it; this is where all of it was seen.
   */
  kubernetesSigner: {
    from: '1.24',
    source:
      'manifests/charts/istio-control/istio-discovery/templates/clusterrole.yaml, pilot/pkg/bootstrap/certcontroller.go, security/pkg/pki/ra/k8s_ra.go',
  },
  /** kube-system gets ConfigMap istio-ca-root-cert too. */
  rootCertInKubeSystem: {from: '1.21', source: '1.21.0:pkg/kube/inject/initializer.go'},
} as const satisfies Record<string, Span>;

/** A key of {@link features}. */
export type Feature = keyof typeof features;

/** Whether a version has a feature. */
export function hasFeature(version: IstioVersion, feature: Feature): boolean {
  const span: Span = features[feature];
  if (!hasReached(version, span.from)) return false;
  const end = span.to === undefined ? undefined : parseVersion(span.to);
  return end === undefined || compareMinor(version, end) <= 0;
}

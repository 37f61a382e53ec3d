/** The install model: what is installed in a cluster, as data. `formats` writes it as a document. */
import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import {groupBy} from '../group-by.js';
import {ambientNetworksVariable, features, hasFeature, multiRootVariable, xdsAgentVariable} from '../istio/features.js';
import {isRetired, lastingHub, replacementHub, retirement} from '../istio/hubs.js';
import {defaultRevision} from '../istio/names.js';
import type {IstioVersion} from '../istio/version.js';
import type {KnownVersion} from '../istio/versions.js';
import {layout} from '../mesh/layout.js';
import {istioNameOf} from '../mesh/istio-name.js';
import type {Mesh, MeshCluster, MeshIstio} from '../mesh/mesh.js';
import {requireIstioNames} from '../mesh/resolve.js';
import {defaultIstioCsrAddress} from '../mesh/signer.js';
import {parseCertificates} from '../x509/certificate.js';
import {chainPem} from '../x509/chain.js';
import type {Tree} from '../tree.js';
import {disablesEastWest, eastWestEntries, hubInOverlays, installsZtunnel, valuesAt} from './declared-settings.js';
import {eastWestGateway, type EastWestGateway} from './east-west/choose.js';
import {eastWestName, type GatewayPlace} from './east-west/kind.js';
import {gatewayListPath} from './gateway-list.js';
import {valuesOverlay, type Overlay} from './overlays.js';
import {componentsOfProfile} from './profiles.js';

/** An environment variable of istiod or of the proxies. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  /** Where users set it, for messages. Absent: overlays may change it. */
  readonly setBy?: string;
}

/** Environment variables of istiod and the proxies. */
interface Environments {
  readonly istiod: readonly EnvironmentVariable[];
  readonly proxies: readonly EnvironmentVariable[];
}

/** The issuer of workload certificates instead of istiod, with the settings of istiod and the proxies. */
interface ExternalIssuer extends Environments {
  /** The address of istio-csr. */
  readonly caAddress?: string;
  /** A Kubernetes signer and its root certificates (PEM). */
  readonly signer?: {readonly name: string; readonly roots: string};
}

/** A network of the mesh. */
export interface MeshNetwork {
  readonly name: string;
  /** Istio's names of its clusters. */
  readonly clusters: readonly string[];
}

/** The install model of one cluster. Every value is known. */
export interface InstallModel extends Environments, Pick<MeshIstio, 'namespace' | 'profile' | 'hub' | 'tag'> {
  readonly version: IstioVersion;
  /** The name in mesh.yaml. */
  readonly cluster: string;
  /** Istio's clusterName: `istioName` in mesh.yaml, otherwise the name. */
  readonly clusterName: string;
  readonly network: string;
  readonly meshID: string;
  readonly trustDomain: string;
  /** Absent for the default revision. */
  readonly revision?: string;
  /** The mesh's networks with Istio's names of their clusters, in the order of mesh.yaml. */
  readonly networks: readonly MeshNetwork[];
  /** Absent if istiod issues workload certificates, or SPIRE. */
  readonly external?: ExternalIssuer;
  /** What this version does not support, or what users should know about the installation: one sentence each. */
  readonly notes: readonly string[];
  /** Whether SPIRE issues workload certificates: proxies then use no CA address. */
  readonly isSpire: boolean;
  /** The gateway for other networks; absent if the mesh has one network, or if an overlay disables it. */
  readonly eastWest?: EastWestGateway;
  /** The ingress gateways of the profile, which the list in the document has to repeat; empty if it has no such list. */
  readonly profileGateways: readonly string[];
  /** Overlays in merge order: the mesh's values and files, then the cluster's own. */
  readonly overlays: readonly Overlay[];
}

/** Overlay files by their path in mesh.yaml. */
export type OverlayFiles = ReadonlyMap<string, Overlay>;

/**
 * Returns the revision to install: the last one declared, so that adding a revision to the list declares a canary
 * upgrade. Undefined for the default revision.
 */
export function installedRevision({istio}: Mesh): string | undefined {
  const last = istio.revisions?.at(-1);
  return last === defaultRevision ? undefined : last;
}

/** Builds the install model of a cluster. Throws the same errors as `renderInstall`. */
export function installModel(
  mesh: Mesh,
  cluster: MeshCluster,
  known: KnownVersion,
  files: OverlayFiles,
  roots?: string,
): InstallModel {
  if (known.status === 'older') {
    throw new MeshError('USAGE', `Istio ${known.text} is not supported: the oldest supported version is 1.6`, {
      hints: ['set the version to install with --istio-version, or as istio.version in mesh.yaml'],
    });
  }
  if (cluster.role === 'remote') {
    const what = `cluster ${cluster.name} is a remote: rendering install.yaml for remotes is not supported`;
    throw new MeshError('USAGE', what, {
      hints: [`declare ${cluster.name} as a primary in mesh.yaml, or write ${cluster.name}/install.yaml yourself`],
    });
  }
  const {version} = known;
  const {namespace, profile, tag} = mesh.istio;
  const external = externalIssuer(mesh, known, roots);
  const {meshID, network} = requireIstioNames(mesh, cluster);
  const rotation = rotationReadiness(mesh, version, external);
  const overlays = overlaysOf(mesh, cluster, files);
  const networks = networksOf(mesh, {...cluster, network});
  const isAmbient = installsZtunnel(profile, overlays);
  const ambient = ambientNetworks(known, networks, isAmbient);
  const revision = installedRevision(mesh);
  const place = defined<Omit<GatewayPlace, 'version'>>({namespace, network, revision});
  const eastWest =
    networks.length < 2 || disablesEastWest(overlays)
      ? undefined
      : eastWestGateway(place, known, mesh.topology, isAmbient);
  const entries = eastWestEntries(overlays);
  checkEntries(eastWest, entries);
  const hub = mesh.istio.hub ?? hubInOverlays(overlays);
  return defined<InstallModel>({
    version,
    cluster: cluster.name,
    clusterName: istioNameOf(cluster),
    network,
    meshID,
    trustDomain: mesh.trustDomain,
    namespace,
    profile,
    // An overlay's hub is not written a second time: istioctl would prefer one path to the other.
    hub: hub === undefined ? replacementHub(version, tag) : mesh.istio.hub,
    tag,
    revision,
    networks,
    eastWest,
    profileGateways:
      networks.length > 1 && (eastWest?.kind.component !== undefined || entries.length > 0)
        ? profileGateways(profile)
        : [],
    notes: [
      ...ambient.notes,
      ...sharedValuesNotes(eastWest, overlays),
      ...(hub !== undefined && isRetired(hub) ? [retiredNote(hub)] : []),
    ],
    istiod: [...rotation.istiod, ...ambient.istiod, ...(external?.istiod ?? [])],
    proxies: [...rotation.proxies, ...(external?.proxies ?? [])],
    external,
    isSpire: mesh.trust.signer.type === 'external' && mesh.trust.signer.issuer === 'spire',
    overlays,
  });
}

/** A gateway that istiod deploys is no component: istioctl would install a second one, without its network. Throws `OVERLAY_INVALID`. */
function checkEntries(eastWest: EastWestGateway | undefined, entries: readonly Tree[]): void {
  if (eastWest === undefined || eastWest.kind.component !== undefined || entries.length === 0) return;
  const what = `overlays configure ${eastWestName} in ${gatewayListPath.join('.')}, but istiod deploys the east-west gateway`;
  throw new MeshError('OVERLAY_INVALID', what, {hints: ['remove the entry from values and overlays']});
}

/** Returns the ingress gateways of a profile: every profile that has one has the same. */
function profileGateways(profile: string): readonly string[] {
  return componentsOfProfile(profile).includes('IngressGateways') ? ['istio-ingressgateway'] : [];
}

/** Istio has one chart for ingress and east-west gateways (1.31.0:operator/pkg/component/component.go, ToHelmValuesTreeRoot). */
function sharedValuesNotes(eastWest: EastWestGateway | undefined, overlays: readonly Overlay[]): readonly string[] {
  const shared = ['spec', 'values', 'gateways', 'istio-ingressgateway'];
  if (eastWest?.kind.component === undefined || valuesAt(overlays, shared).length === 0) return [];
  return [
    `the values under gateways.istio-ingressgateway also apply to the east-west gateway: to configure only one of them, use its entry in ${gatewayListPath.join('.')}`,
  ];
}

function retiredNote(hub: string): string {
  const {when, withoutImagesOf} = retirement;
  return `image hub ${hub} is shut down in ${when} and has no images of Istio ${withoutImagesOf} or later: set istio.hub in mesh.yaml to ${lastingHub} or a mirror of it`;
}

/** Groups the clusters by network. The network of the `installed` cluster may not be in mesh.yaml yet. */
function networksOf({clusters}: Mesh, installed: MeshCluster): readonly MeshNetwork[] {
  const members = clusters.map((one) => (one.name === installed.name ? installed : one));
  return [...groupBy(members, ({network}) => network)].flatMap(([name, found]) =>
    name === undefined ? [] : [{name, clusters: found.map(istioNameOf)}],
  );
}

/**
 * Returns the settings with which ambient workloads reach other networks. Overlays may change the variable, because it also
 * affects sidecars: they lose endpoints in other clusters (istio/istio#61713).
 */
function ambientNetworks(
  {version, text}: KnownVersion,
  networks: readonly MeshNetwork[],
  isAmbient: boolean,
): Pick<InstallModel, 'istiod' | 'notes'> {
  if (!isAmbient || networks.length < 2) return {istiod: [], notes: []};
  if (hasFeature(version, 'ambientNetworks')) {
    return {istiod: [{name: ambientNetworksVariable, value: 'true'}], notes: []};
  }
  const {from} = features.ambientNetworks;
  const note = `Istio ${text} does not support ambient mode on several networks: with ${from} or later, ambient workloads can reach other networks`;
  return {istiod: [], notes: [note]};
}

/**
 * Returns the settings that allow replacing a root later without restarts: istiod accepts a second root while it runs, and
 * proxies accept a pushed trust bundle. Both are read only at startup.
 */
function rotationReadiness({trust}: Mesh, version: IstioVersion, external: ExternalIssuer | undefined): Environments {
  // With ISTIO_MULTIROOT_MESH istiod adds its RA's own root to the bundle, and does not start if there is none: a signer's
  // root comes from meshConfig (istio/istio pilot/pkg/bootstrap/server.go, initWorkloadTrustBundle).
  const ready = trust.rotationReady && !external?.signer;
  const on = (name: string, feature: 'multiRootMesh' | 'proxyConfigXdsAgent'): readonly EnvironmentVariable[] =>
    ready && hasFeature(version, feature) ? [{name, value: 'true', setBy: 'mesh.yaml trust.rotationReady'}] : [];
  return {istiod: on(multiRootVariable, 'multiRootMesh'), proxies: on(xdsAgentVariable, 'proxyConfigXdsAgent')};
}

/**
 * Returns the external issuer, if the installation needs settings for it.
 *
 * istio-csr: proxies request certificates from it, and istiod is not a CA (cert-manager/istio-csr
 * hack/istio-config-1.9.1.yaml, pilot/pkg/features/pilot.go). Since 1.16, Istio's charts mount the certificate that
 * istio-csr creates for istiod without further settings.
 *
 * Kubernetes CSR: istiod forwards requests to a signer (istio/istio security/pkg/pki/ra/k8s_ra.go: CERT_SIGNER_DOMAIN with the
 * name that proxies send, ISTIO_META_CERT_SIGNER) and gets its own certificate from the same signer (PILOT_CERT_PROVIDER,
 * pilot/pkg/bootstrap/certcontroller.go); istio.io: tasks/security/cert-management/custom-ca-k8s.
 */
function externalIssuer(
  {trust: {signer}}: Mesh,
  {version, text}: KnownVersion,
  roots: string | undefined,
): ExternalIssuer | undefined {
  if (signer.type !== 'external') return undefined;
  const variable = (name: string, value: string): EnvironmentVariable => ({
    name,
    value,
    setBy: 'mesh.yaml trust.signer',
  });
  const requireFeature = (feature: 'istiodTlsMounted' | 'kubernetesSigner'): void => {
    if (hasFeature(version, feature)) return;
    const {from} = features[feature];
    throw new MeshError('USAGE', `issuer ${signer.issuer} requires Istio ${from} or later, not ${text}`, {
      hints: ['set a later istio.version in mesh.yaml, or use another trust.signer'],
    });
  };
  switch (signer.issuer) {
    case 'istio-csr': {
      requireFeature('istiodTlsMounted');
      const {caAddress = defaultIstioCsrAddress} = signer;
      return {istiod: [variable('ENABLE_CA_SERVER', 'false')], proxies: [], caAddress};
    }
    case 'kubernetes-csr': {
      const {signerName: name} = signer;
      requireFeature('kubernetesSigner');
      if (roots === undefined) {
        throw new MeshError('FILE_MISSING', `${layout.rootCert} not found: the root of signer ${name}`, {
          hints: [`save the signer's CA certificate as ${layout.rootCert} in the work directory`],
        });
      }
      const [domain = '', ...rest] = name.split('/');
      return {
        istiod: [variable('EXTERNAL_CA', 'ISTIOD_RA_KUBERNETES_API'), variable('CERT_SIGNER_DOMAIN', domain)],
        proxies: [variable('ISTIO_META_CERT_SIGNER', rest.join('/'))],
        signer: {name, roots: chainPem(parseCertificates(roots, layout.rootCert).certificates)},
      };
    }
    case 'spire':
    case 'cert-manager':
      return undefined;
  }
}

function overlaysOf(mesh: Mesh, cluster: MeshCluster, files: OverlayFiles): readonly Overlay[] {
  const read = (path: string): Overlay => {
    const overlay = files.get(path);
    if (!overlay) throw new MeshError('FILE_MISSING', `overlay ${path} not found in the work directory`);
    return overlay;
  };
  return [
    {place: 'istio.values', from: mesh.istio},
    {place: `clusters: ${cluster.name}, values`, from: cluster},
  ].flatMap(({place, from: {values, overlays = []}}) => [
    ...(values ? [valuesOverlay(`mesh.yaml ${place}`, values)] : []),
    ...overlays.map(read),
  ]);
}

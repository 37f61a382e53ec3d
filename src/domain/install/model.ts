/** What is installed in a cluster, as data: which document says it, and how, is a matter of `formats`. */
import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import {features, hasFeature, multiRootVariable, xdsAgentVariable} from '../istio/features.js';
import type {IstioVersion} from '../istio/version.js';
import type {KnownVersion} from '../istio/versions.js';
import {layout} from '../mesh/layout.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {requireIstioNames} from '../mesh/require.js';
import {parseCertificates} from '../x509/certificate.js';
import {chainPem} from '../x509/chain.js';
import {valuesOverlay, type Overlay} from './overlays.js';

/** Who issues workload certificates in istiod's place, with what istiod has to be told. */
export type ExternalIssuer =
  | {readonly issuer: 'istio-csr'; readonly caAddress: string}
  | {
      readonly issuer: 'kubernetes-csr';
      readonly signerName: string;
      /** PEM: the signer's root, or several. */
      readonly roots: string;
    };

/** A variable of the environment of istiod, or of the proxies. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Where people set it, for messages. */
  readonly setBy: string;
}

/** What is installed in one cluster; everything is known. */
export interface InstallModel {
  readonly version: IstioVersion;
  readonly role: 'primary';
  readonly clusterName: string;
  readonly network: string;
  readonly meshID: string;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly profile: string;
  readonly hub?: string;
  readonly tag?: string;
  /** Absent for the default revision. */
  readonly revision?: string;
  /** Every cluster of the mesh that is on this network, this one too, in the order of mesh.yaml. */
  readonly clustersOfNetwork: readonly string[];
  /** What istiod and the proxies are started with. */
  readonly istiod: readonly Variable[];
  readonly proxies: readonly Variable[];
  /** Who issues workload certificates in istiod's place; absent where istiod does. */
  readonly external?: ExternalIssuer;
  /** What users merge over it, in order: the mesh's values and files, then the cluster's own. */
  readonly overlays: readonly Overlay[];
}

/** Overlay files that were read, by the path mesh.yaml gives them. */
export type OverlayFiles = ReadonlyMap<string, Overlay>;

/** The name Istio gives to the revision that has none. */
const defaultRevision = 'default';

/**
 * The revision that is installed: the last one declared, so that a canary upgrade is declared by adding its revision to
 * the list. Undefined for the default revision.
 */
export function installedRevision({istio}: Mesh): string | undefined {
  const last = istio.revisions?.at(-1);
  return last === defaultRevision ? undefined : last;
}

/** What is installed in a cluster of the mesh. Throws what `renderInstall` throws. */
export function installModel(
  mesh: Mesh,
  cluster: MeshCluster,
  known: KnownVersion,
  files: OverlayFiles,
  roots?: string,
): InstallModel {
  if (known.status === 'older') {
    throw new MeshError('USAGE', `Istio ${known.said} is older than 1.6, the oldest version with this installation`, {
      hints: ['say the version to install with --istio-version, or in mesh.yaml as istio.version'],
    });
  }
  if (cluster.role === 'remote') {
    const what = `${cluster.name} is a remote: rendering install.yaml for remotes is not part of this version`;
    throw new MeshError('USAGE', what, {
      hints: [`make ${cluster.name} a primary in mesh.yaml, or write ${cluster.name}/install.yaml by hand`],
    });
  }
  const {version} = known;
  const {namespace, profile, hub, tag} = mesh.istio;
  const external = externalIssuer(mesh, known, roots);
  const {meshID, network} = requireIstioNames(mesh, cluster);
  const rotation = rotationReadiness(mesh, version, external);
  const issuer = issuerVariables(external);
  return defined<InstallModel>({
    version,
    role: cluster.role,
    clusterName: cluster.name,
    network,
    meshID,
    trustDomain: mesh.trustDomain,
    namespace,
    profile,
    hub,
    tag,
    revision: installedRevision(mesh),
    clustersOfNetwork: mesh.clusters
      .filter((other) => other.network === network || other.name === cluster.name)
      .map(({name}) => name),
    istiod: [...rotation.istiod, ...issuer.istiod],
    proxies: [...rotation.proxies, ...issuer.proxies],
    external,
    overlays: overlaysOf(mesh, cluster, files),
  });
}

type Environments = Pick<InstallModel, 'istiod' | 'proxies'>;

/**
 * What lets a root be replaced without restarts later: istiod that takes a second root while it runs, proxies that take a
 * pushed trust bundle. Both settings are read at start only.
 */
function rotationReadiness({trust}: Mesh, version: IstioVersion, external: ExternalIssuer | undefined): Environments {
  // With ISTIO_MULTIROOT_MESH istiod adds its RA's own root to the bundle, and does not start where there is none: a signer's
  // root comes from meshConfig (istio/istio pilot/pkg/bootstrap/server.go, initWorkloadTrustBundle).
  const ready = trust.rotationReady && external?.issuer !== 'kubernetes-csr';
  const on = (name: string, feature: 'multiRootMesh' | 'proxyConfigXdsAgent'): readonly Variable[] =>
    ready && hasFeature(version, feature) ? [{name, value: 'true', setBy: 'mesh.yaml trust.rotationReady'}] : [];
  return {istiod: on(multiRootVariable, 'multiRootMesh'), proxies: on(xdsAgentVariable, 'proxyConfigXdsAgent')};
}

/**
 * istio-csr: proxies ask it, and istiod is no CA (cert-manager/istio-csr hack/istio-config-1.9.1.yaml,
 * pilot/pkg/features/pilot.go); its charts since 1.16 find the certificate that istio-csr makes for istiod by themselves.
 *
 * Kubernetes CSR: istiod forwards requests to a signer (istio/istio security/pkg/pki/ra/k8s_ra.go: CERT_SIGNER_DOMAIN with the
 * name that proxies send, ISTIO_META_CERT_SIGNER), and has its own certificate from the same one (PILOT_CERT_PROVIDER,
 * pilot/pkg/bootstrap/certcontroller.go); istio.io: tasks/security/cert-management/custom-ca-k8s.
 */
function issuerVariables(external: ExternalIssuer | undefined): Environments {
  const variable = (name: string, value: string): Variable => ({name, value, setBy: 'mesh.yaml trust.signer'});
  switch (external?.issuer) {
    case undefined:
      return {istiod: [], proxies: []};
    case 'istio-csr':
      return {istiod: [variable('ENABLE_CA_SERVER', 'false')], proxies: []};
    case 'kubernetes-csr': {
      const [domain = '', ...name] = external.signerName.split('/');
      return {
        istiod: [variable('EXTERNAL_CA', 'ISTIOD_RA_KUBERNETES_API'), variable('CERT_SIGNER_DOMAIN', domain)],
        proxies: [variable('ISTIO_META_CERT_SIGNER', name.join('/'))],
      };
    }
  }
}

const defaultCaAddress = 'cert-manager-istio-csr.cert-manager.svc:443';

/** Who issues in istiod's place, where the installation has to say anything about it. */
function externalIssuer(
  {trust: {signer}}: Mesh,
  {version, said}: KnownVersion,
  roots: string | undefined,
): ExternalIssuer | undefined {
  if (signer.type !== 'external') return undefined;
  const requireFeature = (what: string, feature: 'istiodTlsMounted' | 'kubernetesSigner'): void => {
    if (hasFeature(version, feature)) return;
    throw new MeshError('USAGE', `${what} is rendered for Istio ${features[feature].from} and later, this is ${said}`, {
      hints: ['declare a later istio.version in mesh.yaml, or another trust.signer and the settings as an overlay'],
    });
  };
  switch (signer.issuer) {
    case 'istio-csr':
      requireFeature('istio-csr', 'istiodTlsMounted');
      return {issuer: 'istio-csr', caAddress: signer.caAddress ?? defaultCaAddress};
    case 'kubernetes-csr': {
      const {signerName} = signer;
      requireFeature("Kubernetes' CSR API", 'kubernetesSigner');
      if (roots === undefined) {
        throw new MeshError('FILE_MISSING', `${layout.rootCert} is not there: it holds the root of ${signerName}`, {
          hints: [`save that signer's CA certificate as ${layout.rootCert} in the work directory`],
        });
      }
      const {certificates} = parseCertificates(roots, layout.rootCert);
      return {issuer: 'kubernetes-csr', signerName, roots: chainPem(certificates)};
    }
    case 'spire':
    case 'cert-manager':
      return undefined;
  }
}

function overlaysOf(mesh: Mesh, cluster: MeshCluster, files: OverlayFiles): readonly Overlay[] {
  const read = (path: string): Overlay => {
    const overlay = files.get(path);
    if (!overlay) throw new MeshError('FILE_MISSING', `overlay ${path} is not in the work directory`);
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

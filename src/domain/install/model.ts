/** What is installed in a cluster, as data: which document says it, and how, is a matter of `formats`. */
import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import {features, hasFeature, multiRootVariable, xdsAgentVariable} from '../istio/features.js';
import type {IstioVersion} from '../istio/version.js';
import type {KnownVersion} from '../istio/versions.js';
import {layout} from '../mesh/layout.js';
import type {Mesh, MeshCluster, MeshIstio} from '../mesh/mesh.js';
import {requireIstioNames} from '../mesh/resolve.js';
import {parseCertificates} from '../x509/certificate.js';
import {chainPem} from '../x509/chain.js';
import {valuesOverlay, type Overlay} from './overlays.js';

/** A variable of the environment of istiod, or of the proxies. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Where people set it, for messages. */
  readonly setBy: string;
}

/** What istiod and the proxies are started with. */
interface Environments {
  readonly istiod: readonly Variable[];
  readonly proxies: readonly Variable[];
}

/** Who issues workload certificates in istiod's place, with what istiod and the proxies have to be told. */
interface ExternalIssuer extends Environments {
  /** Where istio-csr answers. */
  readonly caAddress?: string;
  /** A Kubernetes signer and its root certificates (PEM). */
  readonly signer?: {readonly name: string; readonly roots: string};
}

/** What is installed in one cluster; everything is known. */
export interface InstallModel extends Environments, Pick<MeshIstio, 'namespace' | 'profile' | 'hub' | 'tag'> {
  readonly version: IstioVersion;
  readonly clusterName: string;
  readonly network: string;
  readonly meshID: string;
  readonly trustDomain: string;
  /** Absent for the default revision. */
  readonly revision?: string;
  /** Every cluster of the mesh that is on this network, this one too, in the order of mesh.yaml. */
  readonly clustersOfNetwork: readonly string[];
  /** Absent where istiod issues. */
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
    throw new MeshError('USAGE', `Istio ${known.text} is older than 1.6, the oldest version with this installation`, {
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
  return defined<InstallModel>({
    version,
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
    istiod: [...rotation.istiod, ...(external?.istiod ?? [])],
    proxies: [...rotation.proxies, ...(external?.proxies ?? [])],
    external,
    overlays: overlaysOf(mesh, cluster, files),
  });
}

/**
 * What lets a root be replaced without restarts later: istiod that takes a second root while it runs, proxies that take a
 * pushed trust bundle. Both settings are read at start only.
 */
function rotationReadiness({trust}: Mesh, version: IstioVersion, external: ExternalIssuer | undefined): Environments {
  // With ISTIO_MULTIROOT_MESH istiod adds its RA's own root to the bundle, and does not start where there is none: a signer's
  // root comes from meshConfig (istio/istio pilot/pkg/bootstrap/server.go, initWorkloadTrustBundle).
  const ready = trust.rotationReady && !external?.signer;
  const on = (name: string, feature: 'multiRootMesh' | 'proxyConfigXdsAgent'): readonly Variable[] =>
    ready && hasFeature(version, feature) ? [{name, value: 'true', setBy: 'mesh.yaml trust.rotationReady'}] : [];
  return {istiod: on(multiRootVariable, 'multiRootMesh'), proxies: on(xdsAgentVariable, 'proxyConfigXdsAgent')};
}

const defaultCaAddress = 'cert-manager-istio-csr.cert-manager.svc:443';

/**
 * Who issues in istiod's place, where the installation has to say anything about it.
 *
 * istio-csr: proxies ask it, and istiod is no CA (cert-manager/istio-csr hack/istio-config-1.9.1.yaml,
 * pilot/pkg/features/pilot.go); its charts since 1.16 find the certificate that istio-csr makes for istiod by themselves.
 *
 * Kubernetes CSR: istiod forwards requests to a signer (istio/istio security/pkg/pki/ra/k8s_ra.go: CERT_SIGNER_DOMAIN with the
 * name that proxies send, ISTIO_META_CERT_SIGNER), and has its own certificate from the same one (PILOT_CERT_PROVIDER,
 * pilot/pkg/bootstrap/certcontroller.go); istio.io: tasks/security/cert-management/custom-ca-k8s.
 */
function externalIssuer(
  {trust: {signer}}: Mesh,
  {version, text: said}: KnownVersion,
  roots: string | undefined,
): ExternalIssuer | undefined {
  if (signer.type !== 'external') return undefined;
  const variable = (name: string, value: string): Variable => ({name, value, setBy: 'mesh.yaml trust.signer'});
  const requireFeature = (what: string, feature: 'istiodTlsMounted' | 'kubernetesSigner'): void => {
    if (hasFeature(version, feature)) return;
    throw new MeshError('USAGE', `${what} is rendered for Istio ${features[feature].from} and later, this is ${said}`, {
      hints: ['declare a later istio.version in mesh.yaml, or another trust.signer and the settings as an overlay'],
    });
  };
  switch (signer.issuer) {
    case 'istio-csr': {
      requireFeature('istio-csr', 'istiodTlsMounted');
      const {caAddress = defaultCaAddress} = signer;
      return {istiod: [variable('ENABLE_CA_SERVER', 'false')], proxies: [], caAddress};
    }
    case 'kubernetes-csr': {
      const {signerName: name} = signer;
      requireFeature("Kubernetes' CSR API", 'kubernetesSigner');
      if (roots === undefined) {
        throw new MeshError('FILE_MISSING', `${layout.rootCert} is not there: it holds the root of ${name}`, {
          hints: [`save that signer's CA certificate as ${layout.rootCert} in the work directory`],
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

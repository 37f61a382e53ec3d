import {MeshError} from '../errors.js';
import {features, hasFeature} from '../istio/features.js';
import type {KnownVersion} from '../istio/versions.js';
import {formatMinor} from '../istio/version.js';
import {layout} from '../mesh/layout.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {requireIstioNames} from '../mesh/require.js';
import {parseCertificates} from '../x509/certificate.js';
import {chainPem} from '../x509/chain.js';
import type {Dialect, DocumentInput, ExternalIssuer} from './dialects/dialect.js';
import {dialectFor} from './dialects/registry.js';
import {installYamlText} from './install-yaml.js';
import {operatorYaml} from './operator-yaml.js';
import {applyOverlays, valuesOverlay, type Overlay} from './overlays.js';
import {ownedFields} from './owned.js';

/** Overlay files that were read, by the path mesh.yaml gives them. */
export type OverlayFiles = ReadonlyMap<string, Overlay>;

/** A rendered install.yaml. */
export interface Rendered {
  readonly cluster: string;
  /** The file's bytes. */
  readonly text: string;
  readonly dialect: Dialect;
  /** What is rendered for, and so what must be true of the istioctl that applies it. */
  readonly version: KnownVersion;
  readonly network: string;
  readonly meshID: string;
  readonly namespace: string;
  /** Absent for the default revision. */
  readonly revision?: string;
}

/** The name Istio gives to the revision that has none. */
const defaultRevision = 'default';

/**
 * The revision that install.yaml installs: the last one declared, so that a canary upgrade is declared by adding its
 * revision to the list. Undefined for the default revision.
 */
export function installedRevision({istio}: Mesh): string | undefined {
  const last = istio.revisions?.at(-1);
  return last === defaultRevision ? undefined : last;
}

/**
 * Renders one cluster's install.yaml. Same input, same bytes. Throws `MISSING_VALUE` (mesh ID, network, a remote's
 * form), `OVERLAY_INVALID`, `USAGE` for a version that no dialect is known for, `FILE_MISSING`, `NOT_PEM` and
 * `NOT_A_CERTIFICATE` for `roots` (root-cert.pem of the work directory), which only a signer of Kubernetes needs.
 */
export function renderInstall(
  mesh: Mesh,
  cluster: MeshCluster,
  version: KnownVersion,
  files: OverlayFiles,
  roots?: string,
): Rendered {
  if (version.status === 'older') {
    throw new MeshError('USAGE', `Istio ${version.said} is older than 1.6, the oldest version with this installation`, {
      hints: ['say the version to install with --istio-version, or in mesh.yaml as istio.version'],
    });
  }
  if (cluster.role === 'remote') {
    throw new MeshError(
      'USAGE',
      `${cluster.name} is a remote: rendering install.yaml for remotes is not part of this version`,
      {
        hints: [`make ${cluster.name} a primary in mesh.yaml, or write ${cluster.name}/install.yaml by hand`],
      },
    );
  }
  const external = externalIssuer(mesh, version, roots);
  const known = documentInput(mesh, cluster, version);
  const input = {
    ...known,
    ...(external && {external}),
    // With ISTIO_MULTIROOT_MESH istiod adds its RA's own root to the bundle, and does not start where there is none: a signer's
    // root comes from meshConfig (istio/istio pilot/pkg/bootstrap/server.go, initWorkloadTrustBundle).
    rotationReady: known.rotationReady && external?.issuer !== 'kubernetes-csr',
  };
  const dialect = dialectFor(version.version);
  const document = applyOverlays(dialect.document(input), overlaysOf(mesh, cluster, files), ownedFields(input));
  const origin = {cluster: cluster.name, istio: formatMinor(version.version), dialect: dialect.id};
  return {
    cluster: cluster.name,
    text: installYamlText(origin, operatorYaml(document)),
    dialect,
    version,
    network: input.network,
    meshID: input.meshID,
    namespace: input.namespace,
    ...(input.revision === undefined ? {} : {revision: input.revision}),
  };
}

/** Every overlay file that a cluster's install.yaml needs, in the order of merging. */
export function overlayPaths(mesh: Mesh, cluster: MeshCluster): readonly string[] {
  return [...(mesh.istio.overlays ?? []), ...(cluster.overlays ?? [])];
}

function documentInput(mesh: Mesh, cluster: MeshCluster, {version}: KnownVersion): DocumentInput {
  const {istio} = mesh;
  const {meshID, network} = requireIstioNames(mesh, cluster);
  const revision = installedRevision(mesh);
  return {
    version,
    clusterName: cluster.name,
    network,
    meshID,
    trustDomain: mesh.trustDomain,
    namespace: istio.namespace,
    profile: istio.profile,
    ...(istio.hub === undefined ? {} : {hub: istio.hub}),
    ...(istio.tag === undefined ? {} : {tag: istio.tag}),
    ...(revision === undefined ? {} : {revision}),
    clustersOfNetwork: mesh.clusters
      .filter((other) => other.network === network || other.name === cluster.name)
      .map(({name}) => name),
    rotationReady: mesh.trust.rotationReady,
  };
}

const defaultCaAddress = 'cert-manager-istio-csr.cert-manager.svc:443';

/** Who issues in istiod's place, where install.yaml says anything about it. */
function externalIssuer(
  {trust: {signer}}: Mesh,
  {version, said}: KnownVersion,
  roots: string | undefined,
): ExternalIssuer | undefined {
  if (signer.type !== 'external') return undefined;
  const tooOld = (what: string, from: string): MeshError =>
    new MeshError('USAGE', `${what} is rendered for Istio ${from} and later, this is ${said}`, {
      hints: ['declare a later istio.version in mesh.yaml, or another trust.signer and the settings as an overlay'],
    });
  switch (signer.issuer) {
    case 'istio-csr': {
      if (!hasFeature(version, 'istiodTlsMounted')) throw tooOld('istio-csr', features.istiodTlsMounted.from);
      return {issuer: 'istio-csr', caAddress: signer.caAddress ?? defaultCaAddress};
    }
    case 'kubernetes-csr': {
      if (!hasFeature(version, 'kubernetesSigner')) throw tooOld("Kubernetes' CSR API", features.kubernetesSigner.from);
      if (roots === undefined) {
        throw new MeshError(
          'FILE_MISSING',
          `${layout.rootCert} is not there: it holds the root of ${signer.signerName}`,
          {
            hints: [`save that signer's CA certificate as ${layout.rootCert} in the work directory`],
          },
        );
      }
      const {certificates} = parseCertificates(roots, layout.rootCert);
      return {issuer: 'kubernetes-csr', signerName: signer.signerName, roots: chainPem(certificates)};
    }
    case 'spire':
    case 'cert-manager':
      return undefined;
  }
}

/** What is merged, in order: the mesh's values and files, then the cluster's own. */
function overlaysOf(mesh: Mesh, cluster: MeshCluster, files: OverlayFiles): readonly Overlay[] {
  const read = (path: string): Overlay => {
    const overlay = files.get(path);
    if (!overlay) throw new MeshError('FILE_MISSING', `overlay ${path} is not in the work directory`);
    return overlay;
  };
  return [
    ...(mesh.istio.values ? [valuesOverlay('mesh.yaml istio.values', mesh.istio.values)] : []),
    ...(mesh.istio.overlays ?? []).map(read),
    ...(cluster.values ? [valuesOverlay(`mesh.yaml clusters: ${cluster.name}, values`, cluster.values)] : []),
    ...(cluster.overlays ?? []).map(read),
  ];
}

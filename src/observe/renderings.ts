/** Renders install.yaml for `install render`, `install apply` and the check of install.yaml. */
import {asMeshError, MeshError} from '../domain/errors.js';
import {type KnownVersion, resolveVersion} from '../domain/istio/versions.js';
import {overlayPaths, renderInstall, type Rendered} from '../domain/install/render.js';
import type {RenderedFile} from '../domain/install/rendered-file.js';
import {parseOverlay} from '../domain/install/overlays.js';
import {clusterLayout, layout} from '../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {printableLine} from '../domain/printable.js';
import type {Deps} from '../engine/deps.js';

/** The Istio version of install.yaml, and where it is set. */
export interface ChosenVersion {
  readonly known: KnownVersion;
  readonly source: '--istio-version' | 'mesh.yaml' | 'istioctl';
}

/** One cluster's files: as rendered now, or the error; and the existing files in the work directory. */
export interface Rendering {
  readonly cluster: MeshCluster;
  readonly rendered: Rendered | MeshError;
  /** The path of install.yaml, relative to the work directory. */
  readonly path: string;
  /** install.yaml, and the objects of the east-west gateway; empty if they cannot be rendered. */
  readonly files: readonly RenderedFile[];
}

/** Refuses a version that mesh.yaml cannot declare. Throws `USAGE`. */
export function checkRequestedVersion(requested: string | undefined): void {
  if (requested === undefined || versionPattern.test(requested)) return;
  throw new MeshError('USAGE', `invalid --istio-version "${printableLine(requested)}": must be an Istio release`, {
    hints: ['use a minor version such as 1.30, or a patch version such as 1.30.3'],
  });
}

/** The values that mesh.yaml accepts as istio.version. */
const versionPattern = /^\d{1,4}\.\d{1,4}(?:\.\d{1,4})?$/;

/**
 * Returns the version: of --istio-version, of mesh.yaml, or else istioctl's own. Throws `TOOL_MISSING` and
 * `TOOL_OUTPUT` with hints.
 */
export async function chooseVersion(
  mesh: Mesh,
  requested: string | undefined,
  {istioctl}: Pick<Deps, 'istioctl'>,
): Promise<ChosenVersion> {
  const declared = mesh.istio.version;
  if (declared !== undefined) {
    return {known: resolveVersion(declared), source: requested === undefined ? 'mesh.yaml' : '--istio-version'};
  }
  try {
    return {known: resolveVersion(await istioctl.version()), source: 'istioctl'};
  } catch (thrown) {
    const {code, message, hints} = asMeshError(thrown);
    if (code !== 'TOOL_MISSING' && code !== 'TOOL_OUTPUT') throw thrown;
    throw new MeshError(code, `the Istio version is not declared, and istioctl does not report one: ${message}`, {
      hints: ['set it with --istio-version, or as istio.version in mesh.yaml', ...hints],
      cause: thrown,
    });
  }
}

/** Renders each cluster and reads the existing files. A cluster's errors are part of its rendering. */
export async function gatherRenderings(
  mesh: Mesh,
  clusters: readonly MeshCluster[],
  version: KnownVersion,
  {workspace}: Pick<Deps, 'workspace'>,
): Promise<readonly Rendering[]> {
  const texts = new Map<string, string | undefined>();
  for (const path of new Set(clusters.flatMap((cluster) => overlayPaths(mesh, cluster)))) {
    texts.set(path, await workspace.readText(path));
  }
  const {signer} = mesh.trust;
  const needsRoots = signer.type === 'external' && signer.issuer === 'kubernetes-csr';
  const roots = needsRoots ? await workspace.readText(layout.rootCert) : undefined;
  const tryRender = (cluster: MeshCluster): Rendered | MeshError => {
    try {
      const overlays = overlayPaths(mesh, cluster).flatMap((path) => {
        const text = texts.get(path);
        return text === undefined ? [] : [[path, parseOverlay(path, text)] as const];
      });
      return renderInstall(mesh, cluster, version, new Map(overlays), roots);
    } catch (thrown) {
      const error = asMeshError(thrown);
      if (error.class === 'bug') throw thrown;
      return error;
    }
  };
  return Promise.all(
    clusters.map(async (cluster): Promise<Rendering> => {
      const {installYaml: path, crossNetworkGateway} = clusterLayout(cluster.name);
      try {
        // The files are shown as a diff and saved under another name: never through a link, which may lead to a key.
        const [install, gateway] = await Promise.all([
          workspace.readGenerated(path),
          workspace.readGenerated(crossNetworkGateway),
        ]);
        const rendered = tryRender(cluster);
        if (rendered instanceof MeshError) return {cluster, path, files: [], rendered};
        const files = [
          {path, present: install, text: rendered.text},
          {path: crossNetworkGateway, present: gateway, text: rendered.gatewayText},
        ];
        return {cluster, path, files, rendered};
      } catch (thrown) {
        return {cluster, path, files: [], rendered: asSymlinkError(thrown)};
      }
    }),
  );
}

function asSymlinkError(thrown: unknown): MeshError {
  if (thrown instanceof MeshError && thrown.code === 'SYMLINK') return thrown;
  throw thrown;
}

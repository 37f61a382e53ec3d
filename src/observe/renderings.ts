/** What `install render`, `install apply` and the check of install.yaml share: the version, the overlays, the bytes. */
import {asMeshError, MeshError} from '../domain/errors.js';
import {type KnownVersion, knowVersion} from '../domain/istio/versions.js';
import {overlayPaths, renderInstall, type Rendered} from '../domain/install/render.js';
import {parseOverlay} from '../domain/install/overlays.js';
import {clusterLayout, layout} from '../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {printableLine} from '../domain/printable.js';
import type {Deps} from '../engine/deps.js';

/** The Istio version that install.yaml is for, and who said it. */
export interface ChosenVersion {
  readonly known: KnownVersion;
  readonly source: '--istio-version' | 'mesh.yaml' | 'istioctl';
}

/** One cluster's install.yaml: as it would be rendered now, or why it cannot be; and as it is in the work directory. */
export interface Rendering {
  readonly cluster: MeshCluster;
  readonly rendered: Rendered | MeshError;
  /** The file's path, relative to the work directory. */
  readonly path: string;
  /** The file's text; undefined when there is none. */
  readonly present: string | undefined;
}

/** Refuses a version that no mesh.yaml could declare. Throws `USAGE`. */
export function checkRequestedVersion(said: string | undefined): void {
  if (said === undefined || versionPattern.test(said)) return;
  throw new MeshError('USAGE', `--istio-version ${printableLine(said)} is not an Istio release`, {
    hints: ['write the minor version, 1.30, or one patch of it, 1.30.3'],
  });
}

/** What mesh.yaml takes as istio.version. */
const versionPattern = /^\d{1,4}\.\d{1,4}(?:\.\d{1,4})?$/;

/**
 * The version: what was said, mesh.yaml, or else istioctl's own. Throws `TOOL_MISSING` and `TOOL_OUTPUT` with the way out in the hints.
 */
export async function chooseVersion(
  mesh: Mesh,
  said: string | undefined,
  {istioctl}: Pick<Deps, 'istioctl'>,
): Promise<ChosenVersion> {
  const declared = mesh.istio.version;
  if (declared !== undefined) {
    return {known: knowVersion(declared), source: said === undefined ? 'mesh.yaml' : '--istio-version'};
  }
  try {
    return {known: knowVersion(await istioctl.version()), source: 'istioctl'};
  } catch (thrown) {
    const {code, message, hints} = asMeshError(thrown);
    if (code !== 'TOOL_MISSING' && code !== 'TOOL_OUTPUT') throw thrown;
    throw new MeshError(code, `the Istio version is not declared, and istioctl does not say one: ${message}`, {
      hints: ['say it with --istio-version, or in mesh.yaml as istio.version', ...hints],
      cause: thrown,
    });
  }
}

/** Renders each cluster and reads what is there. Problems of one cluster are its own rendering's. */
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
    clusters.map(async (cluster) => {
      const path = clusterLayout(cluster.name).installYaml;
      return {cluster, path, present: await workspace.readText(path), rendered: tryRender(cluster)};
    }),
  );
}

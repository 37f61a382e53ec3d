import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import {formatMinor} from '../istio/version.js';
import type {KnownVersion} from '../istio/versions.js';
import {containsKey} from '../keys/embedded-keys.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {Format} from './formats/istio-operator.js';
import {formatFor} from './formats/registry.js';
import {documentYaml, installYamlText, objectsYaml} from './install-yaml.js';
import {installModel, type InstallModel, type OverlayFiles} from './model.js';
import {applyOverlays} from './overlays.js';

/** The rendered files, with the install model and the format that produced them. */
export interface Rendered extends InstallModel {
  /** The bytes of install.yaml. */
  readonly text: string;
  /** The bytes of the file with the objects of the east-west gateway; absent if there is none. */
  readonly gatewayText?: string;
  readonly format: Format;
}

/**
 * Renders one cluster's files. The same input gives the same bytes. Throws `MISSING_VALUE` (mesh ID, network),
 * `OVERLAY_INVALID`, `USAGE` for a remote and for a version without a known format, `FILE_MISSING`, `NOT_PEM` and
 * `NOT_A_CERTIFICATE` for `roots` (root-cert.pem of the work directory), which only a Kubernetes signer needs, and
 * `PRIVATE_KEY_PUBLISHED` for values with a private key.
 */
export function renderInstall(
  mesh: Mesh,
  cluster: MeshCluster,
  version: KnownVersion,
  files: OverlayFiles,
  roots?: string,
): Rendered {
  const model = installModel(mesh, cluster, version, files, roots);
  const format = formatFor(version.version);
  const document = applyOverlays(format.document(model), model.overlays, format.owned(model));
  const written = documentYaml(document);
  if (containsKey(written)) {
    throw new MeshError('PRIVATE_KEY_PUBLISHED', `install.yaml of ${cluster.name} would contain a private key`, {
      hints: [
        'istioctl writes most values to ConfigMaps: remove the key from values and overlays, and replace it if others could read it',
      ],
    });
  }
  const origin = {cluster: cluster.name, istio: formatMinor(version.version), schema: format.id};
  const {eastWest} = model;
  const gatewayText = eastWest && installYamlText(origin, objectsYaml(eastWest.objects));
  return defined<Rendered>({...model, text: installYamlText(origin, written), gatewayText, format});
}

/** Returns the overlay files of a cluster's install.yaml, in merge order. */
export function overlayPaths(mesh: Mesh, cluster: MeshCluster): readonly string[] {
  return [...(mesh.istio.overlays ?? []), ...(cluster.overlays ?? [])];
}

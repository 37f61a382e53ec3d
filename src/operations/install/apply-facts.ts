/** What `install apply` reads before it decides: the work directory, istioctl, and each cluster as it is now. */
import type {CaCertificates} from '../../domain/install/cacerts-ready.js';
import {impersonationUnsupported} from '../../domain/install/istioctl-output.js';
import {saidVersion, type SaidVersion} from '../../domain/install/version-change.js';
import {observe, type Observed} from '../../domain/observed.js';
import type {Deps} from '../../engine/deps.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readInstalledCluster, type InstalledCluster} from '../../observe/installed-cluster.js';
import {type ChosenVersion, type Rendering, chooseVersion, gatherRenderings} from '../../observe/renderings.js';

/** One cluster, in the work directory and as it is. */
export interface TargetFacts {
  readonly rendering: Rendering;
  readonly certificates: CaCertificates;
  readonly live: Observed<InstalledCluster>;
}

/** Everything the plan is made from. */
export interface ApplyFacts {
  readonly loaded: LoadedMesh;
  readonly version: ChosenVersion;
  readonly istioctl: SaidVersion;
  readonly targets: readonly TargetFacts[];
}

/** Reads everything, `concurrency` clusters at the same time. Throws `UNSUPPORTED_FLAG`, and `TOOL_MISSING` and `TOOL_OUTPUT` for istioctl. */
export async function gatherApply(
  request: MeshRequest & {readonly as?: string | undefined},
  concurrency: number,
  deps: Deps,
): Promise<ApplyFacts> {
  if (request.as !== undefined) throw impersonationUnsupported();
  const loaded = await loadMesh(deps, request);
  const {mesh, clusters} = loaded;
  const istioctl = saidVersion(await deps.istioctl.version());
  const version = await chooseVersion(mesh, request.istioVersion, deps);
  const renderings = await gatherRenderings(mesh, clusters, version.known, deps);
  const targets = await eachCluster(renderings, concurrency, async (rendering): Promise<TargetFacts> => {
    // The cluster first: credential plugins then ask in the order in which clusters are declared.
    const [live, {caCert, rootCert, certChain}] = await Promise.all([
      observe(() => readInstalledCluster(deps, mesh, rendering.cluster)),
      readCaFiles(deps.workspace, rendering.cluster.name),
    ]);
    return {rendering, certificates: {caCert, rootCert, certChain}, live};
  });
  return {loaded, version, istioctl, targets};
}

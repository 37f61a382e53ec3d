import {defined} from '../../domain/defined.js';
import {MeshError, reportError} from '../../domain/errors.js';
import {installYamlDiff, installYamlState, sha256} from '../../domain/install/install-yaml.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {WriteFiles} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {onePhase, type Plan, type Warning} from '../../engine/operation.js';
import {asWarnings, groupOf} from '../../engine/plan.js';
import {
  clusterOutcomesWithCause,
  concludeClusters,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {declareGroups, loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {
  type ChosenVersion,
  type Rendering,
  checkSaidVersion,
  chooseVersion,
  gatherRenderings,
} from '../../observe/renderings.js';

/** What a rendered file is written for. */
export interface RenderedFor {
  /** The Istio version as it was said. */
  readonly istioVersion: string;
  readonly versionFrom: ChosenVersion['saidBy'];
  /** `1.24 and later` */
  readonly dialect: string;
  readonly dialectWhy: string;
}

/** One cluster of {@link RenderResult}. */
export interface RenderedCluster extends ClusterResult, Partial<RenderedFor> {
  /** Relative to the work directory. */
  readonly path: string;
  /** Where a file that somebody had edited was put aside. */
  readonly kept?: string;
  /** Lines that changed in a file that was there: `- old`, `+ new`. */
  readonly diff?: readonly string[];
}

/** What `install render` answers. */
export interface RenderResult extends CommonResult {
  readonly clusters: readonly RenderedCluster[];
  readonly warnings: readonly Warning[];
}

interface Facts {
  readonly loaded: LoadedMesh;
  readonly version: ChosenVersion;
  readonly renderings: readonly Rendering[];
}

/** `install render`: writes CLUSTER/install.yaml for each cluster, and records the mesh ID and the network it used. */
export const renderInstalls = onePhase<MeshRequest, RenderResult, Facts, RenderPlan>({
  command: 'install render',
  changes: true,
  title: () => 'render install.yaml',
  async gather(deps: Deps, request) {
    checkSaidVersion(request.istioVersion);
    const loaded = await loadMesh(deps, request);
    const version = await chooseVersion(loaded.mesh, request.istioVersion, deps);
    return {loaded, version, renderings: await gatherRenderings(loaded.mesh, loaded.clusters, version.known, deps)};
  },
  plan: planRender,
  report(run) {
    const {renderings, version} = run.facts;
    const outcomes = clusterOutcomesWithCause(
      renderings.map(({cluster}) => cluster.name),
      run,
    );
    return {
      clusters: renderings.map((rendering, index) => ({
        ...(outcomes[index] ?? {name: rendering.cluster.name, outcome: 'skipped' as const}),
        ...describe(rendering, version, run.plan.kept.get(rendering.cluster.name)),
      })),
      warnings: run.plan.warnings,
    };
  },
  conclude: (result) => concludeClusters(result.clusters),
});

/** The plan, with where it keeps the files that somebody edited. */
interface RenderPlan extends Plan {
  /** The path of the copy, by the cluster's name. */
  readonly kept: ReadonlyMap<string, string>;
}

/** Writes what differs; what somebody edited is kept beside it, never lost. */
function planRender({loaded, version, renderings}: Facts): RenderPlan {
  const kept = new Map(
    renderings.flatMap((rendering) => {
      const path = keptPath(rendering);
      return path === undefined ? [] : [[rendering.cluster.name, path] as const];
    }),
  );
  const keptOf = ({cluster}: Rendering): string | undefined => kept.get(cluster.name);
  return {
    kept,
    groups: [
      ...declareGroups(loaded),
      ...groupOf(
        'render install.yaml',
        renderings.flatMap((one) => writeAction(one, keptOf(one)) ?? []),
      ),
    ],
    blockers: renderings.flatMap(({cluster, rendered}) =>
      rendered instanceof MeshError ? [{cluster: cluster.name, error: reportError(rendered)}] : [],
    ),
    warnings: [
      ...asWarnings(version.known.note === undefined ? loaded.notes : [...loaded.notes, version.known.note]),
      ...renderings.flatMap((one) => keptWarning(one, keptOf(one))),
    ],
  };
}

function writeAction({cluster, path, present, rendered}: Rendering, kept: string | undefined): WriteFiles | undefined {
  if (rendered instanceof MeshError || present === rendered.text) return undefined;
  const verb = present === undefined ? 'write' : 'rewrite';
  return {
    kind: 'write-files',
    id: `${cluster.name}/install.yaml`,
    cluster: cluster.name,
    title: `${verb} ${path}${kept === undefined ? '' : `, keeping what was edited as ${kept}`}`,
    files: [...(kept === undefined ? [] : [{path: kept, content: present ?? ''}]), {path, content: rendered.text}],
  };
}

/** Where the present file goes that is not simply an older rendering of ours. Its name says its content: kept once. */
function keptPath({cluster, present, rendered}: Rendering): string | undefined {
  if (present === undefined || rendered instanceof MeshError || present === rendered.text) return undefined;
  if (installYamlState(present) === 'rendered') return undefined;
  return `${clusterLayout(cluster.name).directory}/install.edited-${sha256(present).slice(0, 8)}.yaml`;
}

function keptWarning({cluster, path}: Rendering, kept: string | undefined): readonly Warning[] {
  if (kept === undefined) return [];
  const message = `${path} was not as kubectl mesh writes it: it is kept as ${kept}, and what it changed belongs into mesh.yaml (values, overlays)`;
  return [{cluster: cluster.name, message}];
}

function describe(
  {path, present, rendered}: Rendering,
  version: ChosenVersion,
  kept: string | undefined,
): Omit<RenderedCluster, keyof ClusterResult> {
  if (rendered instanceof MeshError) return {path};
  return defined<Omit<RenderedCluster, keyof ClusterResult>>({
    path,
    istioVersion: version.known.said,
    versionFrom: version.saidBy,
    dialect: rendered.format.id,
    dialectWhy: rendered.format.why,
    kept,
    diff: present === undefined || present === rendered.text ? undefined : installYamlDiff(present, rendered.text),
  });
}

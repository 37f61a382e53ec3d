import {defined} from '../../domain/defined.js';
import {sha256Hex} from '../../domain/keys/keys.js';
import {MeshError, reportError} from '../../domain/errors.js';
import {installYamlDiff, installYamlState} from '../../domain/install/install-yaml.js';
import type {Rendered} from '../../domain/install/render.js';
import {keptInstallYaml} from '../../domain/mesh/layout.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {WriteFiles} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, emptyPlan, groupOf, onePhase, type Plan, type Warning} from '../../engine/operation.js';
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
  checkRequestedVersion,
  chooseVersion,
  gatherRenderings,
} from '../../observe/renderings.js';

/** The Istio version that a file is rendered for. */
export interface RenderedFor {
  /** The Istio version as given. */
  readonly istioVersion: string;
  readonly versionFrom: ChosenVersion['source'];
  /** `1.24 and later` */
  readonly dialect: string;
  readonly dialectWhy: string;
}

/** One cluster of {@link RenderResult}. */
export interface RenderedCluster extends ClusterResult, Partial<RenderedFor> {
  /** Relative to the work directory. */
  readonly path: string;
  /** Where an edited file was saved. */
  readonly kept?: string;
  /** The lines that changed in an existing file: `- old`, `+ new`. */
  readonly diff?: readonly string[];
}

/** The result of `install render`. */
export interface RenderResult extends CommonResult {
  readonly clusters: readonly RenderedCluster[];
  readonly warnings: readonly Warning[];
}

/** The result of `install render --output-file -`. */
export interface PrintResult extends RenderedFor {
  readonly cluster: string;
  /** The bytes that `install apply` would pass to istioctl. */
  readonly document: string;
}

interface RenderFacts {
  readonly loaded: LoadedMesh;
  readonly version: ChosenVersion;
  readonly renderings: readonly Rendering[];
  /** Notes on the mesh and on the version. */
  readonly notes: readonly string[];
}

/** The plan, with the paths where it saves edited files. */
interface RenderPlan extends Plan {
  /** The path of the copy, by cluster name. */
  readonly kept: ReadonlyMap<string, string | undefined>;
}

/** `install render`: writes CLUSTER/install.yaml for each cluster, and adds the mesh ID and networks to mesh.yaml. */
export const renderInstalls = onePhase<MeshRequest, RenderResult, RenderFacts, RenderPlan>({
  command: 'install render',
  changes: true,
  title: () => 'render install.yaml',
  gather: (deps, request) => gatherRender(deps, request),
  plan: planRender,
  report(run) {
    const {renderings, version} = run.facts;
    return {
      clusters: renderings.flatMap((rendering) =>
        clusterOutcomesWithCause([rendering.cluster.name], run).map((outcome) => ({
          ...outcome,
          ...describe(rendering, version, run.plan.kept.get(outcome.name)),
        })),
      ),
      warnings: run.plan.warnings,
    };
  },
  conclude: (result) => concludeClusters(result.clusters),
});

/** `install render --output-file -`: prints the document of one cluster and writes nothing. */
export const printInstall = onePhase<MeshRequest, PrintResult, RenderFacts>({
  command: 'install render',
  changes: false,
  title: () => 'render install.yaml',
  gather: (deps, request) => gatherRender(deps, request, checkSingleCluster),
  plan: ({notes, renderings}) => ({...emptyPlan, warnings: [...asWarnings(notes), ...installWarnings(renderings)]}),
  report({facts: {renderings, version}}) {
    const [rendering] = renderings;
    if (!rendering) throw new MeshError('INTERNAL', 'no cluster was selected');
    const {cluster, rendered} = rendering;
    if (rendered instanceof MeshError) throw rendered;
    return {cluster: cluster.name, ...describeVersion(rendered, version), document: rendered.text};
  },
  conclude: () => [],
});

async function gatherRender(
  deps: Deps,
  request: MeshRequest,
  check: (clusters: LoadedMesh['clusters']) => void = () => undefined,
): Promise<RenderFacts> {
  checkRequestedVersion(request.istioVersion);
  const loaded = await loadMesh(deps, request);
  check(loaded.clusters);
  const version = await chooseVersion(loaded.mesh, request.istioVersion, deps);
  const {note} = version.known;
  const renderings = await gatherRenderings(loaded.mesh, loaded.clusters, version.known, deps);
  return {loaded, version, renderings, notes: note === undefined ? loaded.notes : [...loaded.notes, note]};
}

function checkSingleCluster(clusters: LoadedMesh['clusters']): void {
  if (clusters.length <= 1) return;
  throw new MeshError('USAGE', '--output-file - requires exactly one cluster', {
    hints: [
      advice`specify one: ${kubectlMesh('install render', words`${clusters[0]?.name ?? 'CLUSTER'} --output-file -`)}`,
      'istioctl rejects a file with more than one IstioOperator',
    ],
  });
}

/** Plans the files that differ; an edited file is saved beside the new one, never lost. */
function planRender({loaded, renderings, notes}: RenderFacts): RenderPlan {
  const changed = renderings.flatMap((one) => {
    const {present, rendered} = one;
    if (rendered instanceof MeshError || present === rendered.text) return [];
    return [{...one, text: rendered.text, kept: keptPath(one)}];
  });
  const actions = changed.map(({cluster: {name}, path, present, text, kept}): WriteFiles => {
    const verb = present === undefined ? 'write' : 'rewrite';
    return {
      kind: 'write-files',
      id: `${name}/install.yaml`,
      cluster: name,
      title: `${verb} ${path}${kept === undefined ? '' : `, saving the edited file as ${kept}`}`,
      files: [...(kept === undefined ? [] : [{path: kept, content: present ?? ''}]), {path, content: text}],
    };
  });
  const keptWarnings = changed.flatMap(({cluster, path, kept}) => {
    if (kept === undefined) return [];
    const message = `${path} was edited: it is saved as ${kept}; to keep its changes, add them to mesh.yaml (values, overlays)`;
    return asWarnings([message], cluster.name);
  });
  return {
    kept: new Map(changed.map(({cluster, kept}) => [cluster.name, kept])),
    groups: [...declareGroups(loaded), ...groupOf(actions)],
    blockers: renderings.flatMap(({cluster, rendered}) =>
      rendered instanceof MeshError ? [{cluster: cluster.name, error: reportError(rendered)}] : [],
    ),
    warnings: [...asWarnings(notes), ...installWarnings(renderings), ...keptWarnings],
  };
}

/** The notes of the install models. */
function installWarnings(renderings: readonly Rendering[]): readonly Warning[] {
  return renderings.flatMap(({cluster, rendered}) =>
    rendered instanceof MeshError ? [] : asWarnings(rendered.notes, cluster.name),
  );
}

/** Where to save an existing file that this program did not render; the name has its digest: it is saved only once. */
function keptPath({cluster, present}: Rendering): string | undefined {
  if (present === undefined || installYamlState(present) === 'rendered') return undefined;
  return keptInstallYaml(cluster.name, sha256Hex(present));
}

function describe(
  {path, present, rendered}: Rendering,
  version: ChosenVersion,
  kept: string | undefined,
): Omit<RenderedCluster, keyof ClusterResult> {
  if (rendered instanceof MeshError) return {path};
  const diff = present === undefined || present === rendered.text ? undefined : installYamlDiff(present, rendered.text);
  return defined({path, ...describeVersion(rendered, version), kept, diff});
}

function describeVersion({format}: Rendered, {known, source}: ChosenVersion): RenderedFor {
  return {istioVersion: known.text, versionFrom: source, dialect: format.id, dialectWhy: format.why};
}

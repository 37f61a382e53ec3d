import {defined} from '../../domain/defined.js';
import {MeshError, reportError} from '../../domain/errors.js';
import {installYamlDiff} from '../../domain/install/install-yaml.js';
import type {Rendered} from '../../domain/install/render.js';
import {fileChange, keptPath, type RenderedFile} from '../../domain/install/rendered-file.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {
  asWarnings,
  emptyPlan,
  groupOfLanes,
  onePhase,
  type Lane,
  type Plan,
  type Warning,
} from '../../engine/operation.js';
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

/** What happens to one file. */
export interface FileChange {
  /** Relative to the work directory. */
  readonly path: string;
  /** `removed`: no longer rendered. */
  readonly change: 'written' | 'removed' | 'unchanged';
  /** Where an edited file was saved. */
  readonly kept?: string;
  /** The lines that changed in an existing file: `- old`, `+ new`. */
  readonly diff?: readonly string[];
}

/** One cluster of {@link RenderResult}, with the change to its install.yaml; of a cluster that cannot be rendered, only the path. */
export interface RenderedCluster extends ClusterResult, Partial<RenderedFor>, Partial<Omit<FileChange, 'path'>> {
  /** The path of install.yaml, relative to the work directory. */
  readonly path: string;
  /** The file with the objects of the east-west gateway; absent if there is none. */
  readonly gateway?: FileChange;
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

/** `install render`: writes CLUSTER/install.yaml for each cluster, and adds the mesh ID and networks to mesh.yaml. */
export const renderInstalls = onePhase<MeshRequest, RenderResult, RenderFacts>({
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
          ...describe(rendering, version),
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
function planRender({loaded, renderings, notes}: RenderFacts): Plan {
  const keptWarnings = renderings.flatMap(({cluster, files}) =>
    files.flatMap((file) => {
      const kept = keptPath(file);
      if (kept === undefined) return [];
      const message = `${file.path} was edited: it is saved as ${kept}; to keep its changes, add them to mesh.yaml (values, overlays)`;
      return asWarnings([message], cluster.name);
    }),
  );
  return {
    groups: [...declareGroups(loaded), ...groupOfLanes(renderings.flatMap(fileLanes))],
    blockers: renderings.flatMap(({cluster, rendered}) =>
      rendered instanceof MeshError ? [{cluster: cluster.name, error: reportError(rendered)}] : [],
    ),
    warnings: [...asWarnings(notes), ...installWarnings(renderings), ...keptWarnings],
  };
}

/** One lane for a cluster: its files are written one after the other. */
function fileLanes({cluster: {name: cluster}, path, files}: Rendering): readonly Lane[] {
  const actions = files.flatMap((file) => fileActions(cluster, file));
  const [first] = actions;
  if (first === undefined) return [];
  const title = `${cluster}: ${actions.length === 1 ? first.title : `write ${path} and the files beside it`}`;
  return [{key: cluster, cluster, title, actions}];
}

function fileActions(cluster: string, file: RenderedFile): readonly Action[] {
  const change = fileChange(file);
  if (change === undefined) return [];
  const {path, present = '', text} = file;
  const kept = keptPath(file);
  const title = `${change} ${path}${kept === undefined ? '' : `, saving the edited file as ${kept}`}`;
  const copies = kept === undefined ? [] : [{path: kept, content: present}];
  const written = text === undefined ? copies : [...copies, {path, content: text}];
  const write: Action = {kind: 'write-files', id: path, cluster, title, files: written};
  const remove: Action = {kind: 'remove-files', id: `${path}/remove`, cluster, title, paths: [path]};
  return [...(written.length === 0 ? [] : [write]), ...(text === undefined ? [remove] : [])];
}

/** The notes of the install models. */
function installWarnings(renderings: readonly Rendering[]): readonly Warning[] {
  return renderings.flatMap(({cluster, rendered}) =>
    rendered instanceof MeshError ? [] : asWarnings(rendered.notes, cluster.name),
  );
}

function describe(
  {path, files, rendered}: Rendering,
  version: ChosenVersion,
): Omit<RenderedCluster, keyof ClusterResult> {
  if (rendered instanceof MeshError) return {path};
  const [install, gateway] = files.map(describeFile);
  return defined<Omit<RenderedCluster, keyof ClusterResult>>({
    ...{path, ...install, gateway},
    ...describeVersion(rendered, version),
  });
}

/** Undefined for a file that is not rendered and that there is not. */
function describeFile(file: RenderedFile): FileChange | undefined {
  const {path, present, text} = file;
  const needed = fileChange(file);
  if (text === undefined && needed === undefined) return undefined;
  const change = needed === undefined ? 'unchanged' : needed === 'remove' ? 'removed' : 'written';
  const diff = needed === 'rewrite' ? installYamlDiff(present ?? '', text ?? '') : undefined;
  return defined<FileChange>({path, change, kept: keptPath(file), diff});
}

function describeVersion({format}: Rendered, {known, source}: ChosenVersion): RenderedFor {
  return {istioVersion: known.text, versionFrom: source, dialect: format.id, dialectWhy: format.why};
}

import {MeshError} from '../../domain/errors.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase, type Plan} from '../../engine/operation.js';
import {asWarnings} from '../../engine/plan.js';
import {loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import type {RenderedFor} from './render.js';
import {
  type ChosenVersion,
  type Rendering,
  checkSaidVersion,
  chooseVersion,
  gatherRenderings,
} from '../../observe/renderings.js';

/** What `install render --output-file -` answers. */
export interface PrintResult extends RenderedFor {
  readonly cluster: string;
  /** The bytes that `install apply` would hand to istioctl. */
  readonly document: string;
}

interface Facts {
  readonly version: ChosenVersion;
  readonly rendering: Rendering;
  readonly notes: readonly string[];
}

/** `install render --output-file -`: the document of one cluster, and nothing is written anywhere. */
export const printInstall = onePhase<MeshRequest, PrintResult, Facts, Plan>({
  command: 'install render',
  changes: false,
  title: () => 'render install.yaml',
  gather,
  plan: ({notes}) => ({...emptyPlan, warnings: asWarnings(notes)}),
  report({facts: {rendering, version}}) {
    if (rendering.rendered instanceof MeshError) throw rendering.rendered;
    const {format, text} = rendering.rendered;
    return {
      cluster: rendering.cluster.name,
      istioVersion: version.known.said,
      versionFrom: version.saidBy,
      dialect: format.id,
      dialectWhy: format.why,
      document: text,
    };
  },
  conclude: () => [],
});

async function gather(deps: Deps, request: MeshRequest): Promise<Facts> {
  checkSaidVersion(request.istioVersion);
  const {mesh, clusters, notes} = await loadMesh(deps, request);
  if (clusters.length > 1) {
    throw new MeshError('USAGE', 'only one document fits on standard output, this run is about several clusters', {
      hints: [
        advice`name one: ${kubectlMesh('install render', words`${clusters[0]?.name ?? 'CLUSTER'} --output-file -`)}`,
        'istioctl refuses a file that holds more than one IstioOperator',
      ],
    });
  }
  const version = await chooseVersion(mesh, request.istioVersion, deps);
  const [rendering] = await gatherRenderings(mesh, clusters, version.known, deps);
  if (!rendering) throw new MeshError('INTERNAL', 'no cluster was selected');
  return {version, rendering, notes: version.known.note === undefined ? notes : [...notes, version.known.note]};
}

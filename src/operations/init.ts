/**
 * `init`: makes the work directory and mesh.yaml, adds clusters later, and takes directories over that Istio's Makefiles
 * made. What mesh.yaml declares stays; what was said fills what it leaves out; the defaults (mesh1, network1, as in
 * Istio's guide) are for what init itself makes. A context that differs from the declared one is this person's own and
 * goes to contexts.yaml.
 */
import {defined} from '../domain/defined.js';
import {type ErrorReport, MeshError} from '../domain/errors.js';
import {declareMesh, type Declaration, type DeclarationTexts, readTexts} from '../domain/mesh/declare.js';
import {type GuideCluster, type GuideVariables, readGuideVariables} from '../domain/mesh/guide-variables.js';
import {parseClusterName} from '../domain/mesh/names.js';
import {reconcile, checkFormats, withContexts} from '../domain/mesh/resolve.js';
import type {MeshFile} from '../domain/mesh/schema.js';
import {advice, kubectlMesh} from '../domain/suggest/suggestion.js';
import type {Deps} from '../engine/deps.js';
import {onePhase, type PhaseRun, type Plan, type Warning} from '../engine/operation.js';
import {generalPart, type ClusterResult, type CommonResult} from '../engine/report.js';
import {declaredFilesGroups, readDeclaringTexts} from './shared/load-mesh.js';
import {type MakefileImport, importMakefileDirectory, makefileImportGroups} from './shared/import-makefile.js';

/** What `init` was asked for. */
export interface InitRequest {
  /** `NAME` or `NAME=CONTEXT`. */
  readonly clusters: readonly string[];
  readonly meshId?: string | undefined;
  /** For every cluster of this run. */
  readonly network?: string | undefined;
  /** Read the guide's variables. */
  readonly fromEnv: boolean;
}

/** One cluster after init. */
export interface InitCluster extends ClusterResult {
  readonly context?: string;
  readonly network?: string;
}

/** What `init` did. */
export interface InitResult extends Pick<CommonResult, 'dryRun'> {
  /** Absolute path of the work directory. */
  readonly workDir: string;
  readonly meshID?: string;
  /** Every cluster of the mesh; `unchanged` when it was declared as it is. */
  readonly clusters: readonly InitCluster[];
  /** What was written, or would be, one line each. Empty when nothing had to change. */
  readonly changes: readonly string[];
  readonly warnings: readonly Warning[];
  readonly errors: readonly ErrorReport[];
}

const defaultMeshID = 'mesh1';
const defaultNetwork = 'network1';

/** What is in the work directory, and what was requested, by flag or in mesh.yaml. */
interface InitFacts {
  readonly workDir: string;
  readonly texts: DeclarationTexts;
  readonly found: MakefileImport;
  readonly wanted: GuideVariables;
}

/** A plan, with the declaring files as they are once it is carried out. */
interface InitPlan extends Plan {
  readonly after: DeclarationTexts;
}

export const init = onePhase<InitRequest, InitResult, InitFacts, InitPlan>({
  command: 'init',
  changes: true,
  title: () => 'read the work directory',
  async gather({workspace, environment}, request) {
    const texts = await readDeclaringTexts(workspace);
    const found = await importMakefileDirectory({workspace});
    const wanted = wantedClusters(request, environment, texts.mesh === undefined ? found.clusters : []);
    return {workDir: workspace.root, texts, found, wanted};
  },
  plan: planInit,
  report: reportInit,
  conclude: (result) => result.errors.map(({code}) => code),
});

/** What was said on the command line, in the variables, or, in a new work directory, by folders that are there. */
function wantedClusters(
  request: InitRequest,
  environment: Deps['environment'],
  folders: readonly string[],
): GuideVariables {
  const variables = request.fromEnv ? readGuideVariables(environment) : {clusters: []};
  const flagged = request.network === undefined ? undefined : {value: request.network, source: '--network'};
  const said: readonly GuideCluster[] = [...variables.clusters, ...request.clusters.map(readWord)];
  const named = new Map<string, GuideCluster>();
  for (const {name, context, network} of said.length === 0 ? folders.map((name): GuideCluster => ({name})) : said) {
    const before = named.get(parseClusterName(name));
    if (before?.context !== undefined && context !== undefined && before.context !== context) {
      throw new MeshError('USAGE', `${name} is given two contexts: ${before.context} and ${context}`);
    }
    // A flag beats a variable.
    named.set(name, {...before, ...defined<GuideCluster>({name, context, network: flagged ?? network})});
  }
  const meshID = request.meshId === undefined ? variables.meshID : {value: request.meshId, source: '--mesh-id'};
  return defined<GuideVariables>({meshID, clusters: [...named.values()]});
}

/** `NAME` or `NAME=CONTEXT`. */
function readWord(text: string): GuideCluster {
  const [name = '', ...rest] = text.split('=');
  if (rest.length === 0) return {name};
  const context = rest.join('=');
  if (context !== '') return {name, context};
  throw new MeshError('USAGE', `${text} names no context`, {hints: [`write ${name}=CONTEXT, or ${name} alone`]});
}

/** Pure. Throws what mesh.yaml and the request disagree about. */
function planInit({texts, found, wanted}: InitFacts): InitPlan {
  const {file} = readTexts(texts);
  checkAgreement(file, wanted);
  checkContextsAreFree(clustersOf(texts), wanted.clusters);
  const declared = declareMesh(texts, declarationOf(file, wanted));
  const known = new Set([...(file?.clusters ?? []), ...wanted.clusters].map(({name}) => name));
  const strangers = found.clusters.filter((name) => !known.has(name));
  return {
    after: declared.after,
    // What changes is the answer here, not a line of progress: all of it.
    groups: [...declaredFilesGroups(declared, declared.summary.length), ...makefileImportGroups(found)],
    blockers: [],
    warnings: [
      ...found.warnings,
      ...strangers.map((name) => ({
        message: advice`${name}/ holds a cluster CA and is no cluster of the mesh (${kubectlMesh('init', [name])} adds it)`,
      })),
    ],
  };
}

/** What was said has the right form and does not contradict mesh.yaml. */
function checkAgreement(file: MeshFile | undefined, {meshID, clusters}: GuideVariables): void {
  checkFormats({meshID});
  reconcile('meshID', file?.meshID, meshID);
  for (const {name, network} of clusters) {
    checkFormats({network});
    reconcile(`network of ${name}`, file?.clusters?.find((cluster) => cluster.name === name)?.network, network);
  }
}

/** No context that was said is another cluster's already, as declared or, where something was said of that one, as said. */
function checkContextsAreFree(declared: readonly DeclaredCluster[], wanted: readonly GuideCluster[]): void {
  const others = declared.filter((other) => !wanted.some((said) => said.name === other.name && said.context));
  for (const {name, context} of wanted) {
    const owner = [...wanted, ...others].find((other) => other.name !== name && other.context === context);
    if (context === undefined || !owner) continue;
    const what = `${context} is said for ${name}, and is the context of cluster ${owner.name}`;
    throw new MeshError('CONTRADICTION', what, {
      hints: ['one cluster has one name: take another context, or name that cluster'],
    });
  }
}

function declarationOf(file: MeshFile | undefined, {meshID, clusters}: GuideVariables): Declaration {
  const declared = new Set((file?.clusters ?? []).map(({name}) => name));
  const byName = (valueOf: (cluster: GuideCluster) => string | undefined): Record<string, string> =>
    defined(Object.fromEntries(clusters.map((cluster) => [cluster.name, valueOf(cluster)])));
  return defined<Declaration>({
    gitignore: true,
    clusters: clusters.map(({name}) => name),
    meshID: meshID?.value ?? (file === undefined ? defaultMeshID : undefined),
    ownContexts: byName(({context}) => context),
    networks: byName(({name, network}) => network?.value ?? (declared.has(name) ? undefined : defaultNetwork)),
  });
}

/** Pure. */
function reportInit(run: PhaseRun<InitFacts, InitPlan>): InitResult {
  const {facts, plan, outcomes} = run;
  const before = new Set(clustersOf(facts.texts).map((cluster) => JSON.stringify(cluster)));
  // One set of files is written for all clusters: what became of it became of each.
  const status =
    (['failed', 'cancelled', 'skipped'] as const).find((one) => outcomes.some((outcome) => outcome.status === one)) ??
    'done';
  return defined<InitResult>({
    workDir: facts.workDir,
    meshID: readTexts(plan.after).file?.meshID,
    clusters: clustersOf(plan.after).map((cluster) => {
      const isTaken = facts.found.files.some(({path}) => path.startsWith(`${cluster.name}/`));
      return {...cluster, outcome: before.has(JSON.stringify(cluster)) && !isTaken ? 'unchanged' : status};
    }),
    changes: plan.groups.flatMap(({lanes}) => lanes.flatMap(({title}) => title.split('; '))),
    warnings: plan.warnings,
    errors: generalPart(run).errors,
  });
}

type DeclaredCluster = Omit<InitCluster, 'outcome'>;

function clustersOf(texts: DeclarationTexts): readonly DeclaredCluster[] {
  const {file, contexts} = readTexts(texts);
  return withContexts(file?.clusters ?? [], contexts).map(({name, context, network}) =>
    defined<DeclaredCluster>({name, context, network}),
  );
}

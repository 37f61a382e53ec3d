/**
 * `init`: makes the work directory and mesh.yaml, adds clusters later, and takes directories over that Istio's Makefiles
 * made. What mesh.yaml declares stays; what was said fills what it leaves out; the defaults (mesh1, network1, as in
 * Istio's guide) are for what init itself makes. A context that differs from the declared one is this person's own and
 * goes to contexts.yaml.
 */
import {defined} from '../domain/defined.js';
import {type ErrorReport, MeshError} from '../domain/errors.js';
import {declareMesh, type Declaration, type DeclaringTexts} from '../domain/mesh/declare.js';
import {readGuideVariables} from '../domain/mesh/guide-variables.js';
import {layout} from '../domain/mesh/layout.js';
import {parseClusterName} from '../domain/mesh/names.js';
import {parseContextsFile, parseMeshFile} from '../domain/mesh/parse.js';
import {agree, checkForms, resolveMesh, type Said} from '../domain/mesh/resolve.js';
import type {MeshFile} from '../domain/mesh/schema.js';
import {advice} from '../domain/suggest/advice.js';
import {kubectlMesh} from '../domain/suggest/suggestion.js';
import type {Deps} from '../engine/deps.js';
import type {FileContent} from '../workspace/workspace.js';
import type {Operation, Outcome, PhaseRun, Plan, Warning} from '../engine/operation.js';
import {generalPart, type ClusterOutcome, type ClusterResult, type CommonResult} from '../engine/report.js';
import {declaredFilesGroups} from './shared/load-mesh.js';
import {type TakeOver, takeOver, takeOverGroups} from './shared/take-over.js';

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

/** What stands in the work directory, and what was said. */
interface InitFacts {
  readonly texts: DeclaringTexts;
  readonly found: TakeOver;
  readonly wanted: Wanted;
}

/** What was asked for, wherever it was said. */
interface Wanted {
  readonly meshID: Said | undefined;
  readonly clusters: readonly WantedCluster[];
}

interface WantedCluster {
  readonly name: string;
  readonly context?: string;
  readonly network?: Said;
}

/** A plan, with the declaring files as they are once it is carried out. */
interface InitPlan extends Plan {
  readonly after: DeclaringTexts;
}

export const init: Operation<InitRequest, InitResult> = {
  command: 'init',
  changes: true,
  async execute(request, engine) {
    let workDir = '';
    const run = await engine.run({
      title: 'read the work directory',
      gather: async (deps: Deps): Promise<InitFacts> => {
        workDir = deps.workspace.root;
        return gatherInit(request, deps);
      },
      plan: planInit,
    });
    return reportInit(workDir, run);
  },
  conclude: (result) => result.errors.map(({code}) => code),
};

async function gatherInit(request: InitRequest, {workspace, environment}: Deps): Promise<InitFacts> {
  const [mesh, contexts, gitignore] = await Promise.all(
    [layout.meshYaml, layout.contextsYaml, layout.gitignore].map((path) => workspace.readText(path)),
  );
  const found = await takeOver({workspace});
  return {
    texts: {mesh, contexts, gitignore},
    found,
    wanted: wantedClusters(request, environment, mesh === undefined ? found.clusters : []),
  };
}

/** What was said on the command line, in the variables, or, in a new work directory, by folders that are there. */
function wantedClusters(request: InitRequest, environment: Deps['environment'], folders: readonly string[]): Wanted {
  const variables = request.fromEnv ? readGuideVariables(environment) : {clusters: []};
  const flagged = request.network === undefined ? undefined : {value: request.network, by: '--network'};
  const named = new Map<string, WantedCluster>();
  const add = (name: string, context: string | undefined, network: Said | undefined): void => {
    const before = named.get(parseClusterName(name));
    if (before?.context !== undefined && context !== undefined && before.context !== context) {
      throw new MeshError('USAGE', `${name} is given two contexts: ${before.context} and ${context}`);
    }
    named.set(name, {...before, ...defined<WantedCluster>({name, context, network})});
  };
  for (const cluster of variables.clusters) {
    // A flag beats a variable.
    add(cluster.name, cluster.context?.value, flagged ?? cluster.network);
  }
  for (const text of request.clusters) {
    const [name = '', ...context] = text.split('=');
    if (context.length > 0 && context.join('=') === '') {
      throw new MeshError('USAGE', `${text} names no context`, {hints: [`write ${name}=CONTEXT, or ${name} alone`]});
    }
    add(name, context.length === 0 ? undefined : context.join('='), flagged);
  }
  if (named.size === 0) for (const folder of folders) add(folder, undefined, flagged);
  return {
    meshID: request.meshId === undefined ? variables.meshID : {value: request.meshId, by: '--mesh-id'},
    clusters: [...named.values()],
  };
}

/** Pure. Throws what mesh.yaml and the request disagree about. */
function planInit({texts, found, wanted}: InitFacts): InitPlan {
  const file = texts.mesh === undefined ? undefined : parseMeshFile(texts.mesh);
  checkAgreement(file, wanted);
  checkContextsAreFree(clustersOf(texts), wanted);
  const declared = declareMesh(texts, declarationOf(file, wanted));
  const after = textsAfter(texts, declared.files);
  checkContexts(after);
  const known = new Set([...(file?.clusters ?? []), ...wanted.clusters].map(({name}) => name));
  const strangers = found.clusters.filter((name) => !known.has(name));
  return {
    after,
    // What changes is the answer here, not a line of progress: all of it.
    groups: [...declaredFilesGroups(declared, declared.summary.length), ...takeOverGroups(found)],
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
function checkAgreement(file: MeshFile | undefined, {meshID, clusters}: Wanted): void {
  checkForms(defined({meshID}));
  agree('meshID', file?.meshID, meshID);
  for (const {name, network} of clusters) {
    checkForms(defined({network}));
    agree(`network of ${name}`, file?.clusters?.find((cluster) => cluster.name === name)?.network, network);
  }
}

/** No context that was said is another cluster's already, as declared or, where something was said of that one, as said. */
function checkContextsAreFree(declared: readonly Omit<InitCluster, 'outcome'>[], {clusters}: Wanted): void {
  for (const {name, context} of clusters) {
    if (context === undefined) continue;
    const others = declared.filter((other) => !clusters.some((said) => said.name === other.name && said.context));
    const owner = [...clusters, ...others].find((other) => other.name !== name && other.context === context);
    if (!owner) continue;
    throw new MeshError(
      'CONTRADICTION',
      `${context} is said for ${name}, and is the context of cluster ${owner.name}`,
      {
        hints: ['one cluster has one name: take another context, or name that cluster'],
      },
    );
  }
}

/** Both files together send no two clusters to one context: what every other command would refuse to work with. */
function checkContexts({mesh, contexts}: DeclaringTexts): void {
  const file = mesh === undefined ? undefined : parseMeshFile(mesh);
  if (!file?.clusters?.length) return;
  resolveMesh({file, contexts: contexts === undefined ? {} : parseContextsFile(contexts), names: [], said: {}});
}

/** The declaring files once these are written. */
function textsAfter(before: DeclaringTexts, files: readonly FileContent[]): DeclaringTexts {
  const after = (path: string, text: string | undefined): string | undefined => {
    const content = files.find((file) => file.path === path)?.content;
    return typeof content === 'string' ? content : text;
  };
  return {
    mesh: after(layout.meshYaml, before.mesh),
    contexts: after(layout.contextsYaml, before.contexts),
    gitignore: after(layout.gitignore, before.gitignore),
  };
}

function declarationOf(file: MeshFile | undefined, {meshID, clusters}: Wanted): Declaration {
  const declared = new Set((file?.clusters ?? []).map(({name}) => name));
  return defined<Declaration>({
    gitignore: true,
    clusters: clusters.map(({name}) => name),
    meshID: meshID?.value ?? (file === undefined ? defaultMeshID : undefined),
    ownContexts: Object.fromEntries(
      clusters.flatMap(({name, context}) => (context === undefined ? [] : [[name, context]])),
    ),
    networks: Object.fromEntries(
      clusters.flatMap(({name, network}) => {
        const value = network?.value ?? (declared.has(name) ? undefined : defaultNetwork);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  });
}

/** Pure. */
function reportInit(workDir: string, run: PhaseRun<InitFacts, InitPlan>): InitResult {
  const {facts, plan, outcomes} = run;
  const lanes = plan.groups.flatMap((group) => group.lanes);
  const before = clustersOf(facts.texts);
  const status = statusOf(outcomes);
  return defined<InitResult>({
    workDir,
    meshID: plan.after.mesh === undefined ? undefined : parseMeshFile(plan.after.mesh).meshID,
    clusters: clustersOf(plan.after).map((cluster) => {
      const same =
        before.some((other) => JSON.stringify(other) === JSON.stringify(cluster)) &&
        !facts.found.files.some(({path}) => path.startsWith(`${cluster.name}/`));
      return {...cluster, outcome: same ? 'unchanged' : status};
    }),
    changes: lanes.map(({title}) => title).flatMap((title) => title.split('; ')),
    warnings: plan.warnings,
    errors: generalPart(run).errors,
  });
}

function clustersOf({mesh, contexts}: DeclaringTexts): readonly Omit<InitCluster, 'outcome'>[] {
  const own = contexts === undefined ? {} : parseContextsFile(contexts);
  const declared = mesh === undefined ? [] : (parseMeshFile(mesh).clusters ?? []);
  return declared.map(({name, context, network}) =>
    defined<Omit<InitCluster, 'outcome'>>({name, context: own[name] ?? context, network}),
  );
}

/** One set of files is written for all clusters: what became of it became of each. */
function statusOf(outcomes: readonly Outcome[]): ClusterOutcome {
  for (const status of ['failed', 'cancelled', 'skipped'] as const) {
    if (outcomes.some((outcome) => outcome.status === status)) return status;
  }
  return 'done';
}

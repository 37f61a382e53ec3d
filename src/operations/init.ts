/**
 * `init`: creates the work directory and mesh.yaml, adds clusters later, and imports directories that Istio's Makefiles
 * created. Values in mesh.yaml are never changed; flags and variables add missing ones; the defaults (mesh1, network1,
 * as in Istio's guide) apply only to what init creates. A context that differs from the declared one is specific to
 * this user and is written to contexts.yaml.
 */
import {defined} from '../domain/defined.js';
import {type ErrorReport, MeshError} from '../domain/errors.js';
import {declareMesh, type Declaration, type DeclarationTexts, readTexts} from '../domain/mesh/declare.js';
import {type GuideCluster, type GuideVariables, readGuideVariables} from '../domain/mesh/guide-variables.js';
import {istioNameOf, ownerOfIstioName} from '../domain/mesh/istio-name.js';
import {parseClusterName} from '../domain/mesh/names.js';
import {reconcile, checkFormats, type Override, withContexts} from '../domain/mesh/resolve.js';
import type {MeshFile, MeshFileCluster} from '../domain/mesh/schema.js';
import {advice, kubectlMesh, words} from '../domain/suggest/suggestion.js';
import type {Deps} from '../engine/deps.js';
import {onePhase, type PhaseRun, type Plan, type Warning} from '../engine/operation.js';
import {generalPart, type ClusterResult, type CommonResult} from '../engine/report.js';
import {declaredFilesGroups, readDeclaringTexts} from './shared/load-mesh.js';
import {type MakefileImport, importMakefileDirectory, makefileImportGroups} from './shared/import-makefile.js';

/** The request of `init`. */
export interface InitRequest {
  /** `NAME` or `NAME=CONTEXT`. */
  readonly clusters: readonly string[];
  readonly meshId?: string | undefined;
  /** `NAME=ISTIO_NAME`, of clusters of this run or of mesh.yaml. */
  readonly istioNames: readonly string[];
  /** For every cluster of this run. */
  readonly network?: string | undefined;
  /** Read the environment variables of Istio's guide. */
  readonly fromEnv: boolean;
}

/** One cluster after init. */
export interface InitCluster extends ClusterResult {
  /** Istio's name, if it differs. */
  readonly istioName?: string;
  readonly context?: string;
  readonly network?: string;
}

/** The result of `init`. */
export interface InitResult extends Pick<CommonResult, 'dryRun'> {
  /** Absolute path of the work directory. */
  readonly workDir: string;
  readonly meshID?: string;
  /** All clusters of the mesh; `unchanged` for one that was already declared like this. */
  readonly clusters: readonly InitCluster[];
  /** What was (or would be) written, one line each. Empty when nothing had to change. */
  readonly changes: readonly string[];
  readonly warnings: readonly Warning[];
  readonly errors: readonly ErrorReport[];
}

const defaultMeshID = 'mesh1';
const defaultNetwork = 'network1';

/** The state of the work directory, and the clusters requested by arguments, flags and variables. */
interface InitFacts {
  readonly workDir: string;
  readonly texts: DeclarationTexts;
  readonly makefile: MakefileImport;
  readonly requested: GuideVariables;
  /** Istio's names by cluster. */
  readonly istioNames: IstioNames;
  /** Requested contexts that the kubeconfig does not have. */
  readonly missingContexts: readonly Warning[];
}

type IstioNames = ReadonlyMap<string, Override>;

/** A plan, with the contents of mesh.yaml, contexts.yaml and .gitignore after it. */
interface InitPlan extends Plan {
  readonly after: DeclarationTexts;
}

export const init = onePhase<InitRequest, InitResult, InitFacts, InitPlan>({
  command: 'init',
  changes: true,
  title: () => 'read the work directory',
  async gather({workspace, environment, clusters}, request) {
    const texts = await readDeclaringTexts(workspace);
    const makefile = await importMakefileDirectory({workspace});
    const requested = requestedClusters(request, environment, texts.mesh === undefined ? makefile.clusters : []);
    const missingContexts = await findMissingContexts(requested, clusters);
    const istioNames = parseIstioNames(request.istioNames);
    return {workDir: workspace.root, texts, makefile, requested, istioNames, missingContexts};
  },
  plan: planInit,
  report: reportInit,
  conclude: (result) => result.errors.map(({code}) => code),
});

/** The clusters given as arguments and variables; without any, in a new work directory, those with a directory. */
function requestedClusters(
  request: InitRequest,
  environment: Deps['environment'],
  found: readonly string[],
): GuideVariables {
  const variables = request.fromEnv ? readGuideVariables(environment) : {clusters: []};
  const networkFlag = request.network === undefined ? undefined : {value: request.network, source: '--network'};
  const given: readonly GuideCluster[] = [...variables.clusters, ...request.clusters.map(parseClusterArgument)];
  const byName = new Map<string, GuideCluster>();
  for (const {name, context, network} of given.length === 0 ? found.map((name): GuideCluster => ({name})) : given) {
    const before = byName.get(parseClusterName(name));
    if (before?.context !== undefined && context !== undefined && before.context !== context) {
      throw new MeshError('USAGE', `two contexts given for cluster "${name}": "${before.context}" and "${context}"`);
    }
    // Flags take precedence over variables.
    byName.set(name, {...before, ...defined<GuideCluster>({name, context, network: networkFlag ?? network})});
  }
  const meshID = request.meshId === undefined ? variables.meshID : {value: request.meshId, source: '--mesh-id'};
  return defined<GuideVariables>({meshID, clusters: [...byName.values()]});
}

async function findMissingContexts(
  {clusters}: GuideVariables,
  sessions: Deps['clusters'],
): Promise<readonly Warning[]> {
  const found = await Promise.all(
    clusters.map(async ({name, context}): Promise<readonly Warning[]> => {
      const error = context === undefined ? undefined : await sessions.missingContext(context);
      return error ? [{cluster: name, message: error.message}] : [];
    }),
  );
  return found.flat();
}

/** `NAME` or `NAME=CONTEXT`. */
function parseClusterArgument(text: string): GuideCluster {
  const [name = '', ...rest] = text.split('=');
  if (rest.length === 0) return {name};
  const context = rest.join('=');
  if (context !== '') return {name, context};
  throw new MeshError('USAGE', `missing context in "${text}"`, {
    hints: [name === '' ? 'use NAME=CONTEXT, without spaces' : `use ${name}=CONTEXT, or only ${name}`],
  });
}

/** `NAME=ISTIO_NAME` of each flag. Throws `USAGE` and `INVALID_CLUSTER_NAME`. */
function parseIstioNames(given: readonly string[]): IstioNames {
  const names = new Map<string, Override>();
  for (const text of given) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (name === '' || value === '') {
      throw new MeshError('USAGE', `invalid --istio-name "${text}": must be NAME=ISTIO_NAME`);
    }
    const before = names.get(parseClusterName(name));
    if (before !== undefined && before.value !== value) {
      throw new MeshError('USAGE', `two --istio-name given for cluster "${name}": "${before.value}" and "${value}"`);
    }
    names.set(name, {value, source: '--istio-name'});
  }
  return names;
}

/** Pure. Throws `CONTRADICTION` where the request contradicts mesh.yaml. */
function planInit({texts, makefile, requested, istioNames, missingContexts}: InitFacts): InitPlan {
  const {file} = readTexts(texts);
  checkConsistency(file, requested);
  checkIstioNames(istioNames, file, requested);
  checkContextsAreFree(clustersOf(texts), requested.clusters);
  const declared = declareMesh(texts, declarationOf(file, requested, istioNames));
  const known = new Set([...(file?.clusters ?? []), ...requested.clusters].map(({name}) => name));
  const undeclared = makefile.clusters.filter((name) => !known.has(name));
  return {
    after: declared.after,
    // The changes are the result of this command, not only progress: all of them are listed.
    groups: [...declaredFilesGroups(declared, declared.summary.length), ...makefileImportGroups(makefile)],
    blockers: [],
    warnings: [
      ...makefile.warnings,
      ...missingContexts,
      ...undeclared.map((name) => ({
        message: advice`${name}/ contains a cluster CA, but cluster "${name}" is not in mesh.yaml; add it with: ${kubectlMesh('init', [name])}`,
      })),
    ],
  };
}

/** Checks that the requested values are valid and do not contradict mesh.yaml. */
function checkConsistency(file: MeshFile | undefined, {meshID, clusters}: GuideVariables): void {
  checkFormats({meshID});
  reconcile('meshID', file?.meshID, meshID);
  for (const {name, network} of clusters) {
    checkFormats({network});
    reconcile(`network of ${name}`, file?.clusters?.find((cluster) => cluster.name === name)?.network, network);
  }
}

/** Checks Istio's names: each is valid, of a known cluster, does not contradict mesh.yaml, and is not another cluster's name. */
function checkIstioNames(istioNames: IstioNames, file: MeshFile | undefined, requested: GuideVariables): void {
  const clusters = [...(file?.clusters ?? []), ...requested.clusters.map(({name}) => ({name}))].map(
    (cluster): MeshFileCluster => defined({istioName: istioNames.get(cluster.name)?.value, ...cluster}),
  );
  for (const [name, override] of istioNames) {
    checkFormats({istioName: override});
    const declared = clusters.find((one) => one.name === name);
    if (!declared) {
      throw new MeshError('USAGE', `--istio-name names cluster "${name}", which is not in mesh.yaml`, {
        hints: [advice`add it with: ${kubectlMesh('init', words`${name} --istio-name ${name}=${override.value}`)}`],
      });
    }
    reconcile(`istioName of ${name}`, declared.istioName, override);
  }
  for (const cluster of clusters) {
    const owner = ownerOfIstioName(clusters, istioNameOf(cluster), cluster.name);
    if (!owner) continue;
    const what = `"${istioNameOf(cluster)}" cannot be a name of cluster "${cluster.name}" and of cluster "${owner.name}"`;
    throw new MeshError('CONTRADICTION', what, {hints: ['every cluster of a mesh needs a clusterName of its own']});
  }
}

/** Checks that no requested context belongs to another cluster, as requested for that cluster or else as declared. */
function checkContextsAreFree(declared: readonly DeclaredCluster[], requested: readonly GuideCluster[]): void {
  const others = declared.filter(({name}) => !requested.some((one) => one.name === name && one.context));
  for (const {name, context} of requested) {
    const owner = [...requested, ...others].find((other) => other.name !== name && other.context === context);
    if (context === undefined || !owner) continue;
    const what = `context "${context}" of cluster "${name}" is already the context of cluster "${owner.name}"`;
    throw new MeshError('CONTRADICTION', what, {
      hints: ['use another context, or the existing cluster name'],
    });
  }
}

function declarationOf(
  file: MeshFile | undefined,
  {meshID, clusters}: GuideVariables,
  istioNames: IstioNames,
): Declaration {
  const declared = new Set((file?.clusters ?? []).map(({name}) => name));
  const byName = (valueOf: (cluster: GuideCluster) => string | undefined): Record<string, string> =>
    defined(Object.fromEntries(clusters.map((cluster) => [cluster.name, valueOf(cluster)])));
  return defined<Declaration>({
    gitignore: true,
    clusters: clusters.map(({name}) => name),
    meshID: meshID?.value ?? (file === undefined ? defaultMeshID : undefined),
    istioNames: Object.fromEntries([...istioNames].map(([name, {value}]) => [name, value])),
    ownContexts: byName(({context}) => context),
    networks: byName(({name, network}) => network?.value ?? (declared.has(name) ? undefined : defaultNetwork)),
  });
}

/** Pure. */
function reportInit(run: PhaseRun<InitFacts, InitPlan>): InitResult {
  const {facts, plan, outcomes} = run;
  const before = new Set(clustersOf(facts.texts).map((cluster) => JSON.stringify(cluster)));
  // The files are written for all clusters at once, so all have the same outcome.
  const status =
    (['failed', 'cancelled', 'skipped'] as const).find((one) => outcomes.some((outcome) => outcome.status === one)) ??
    'done';
  return defined<InitResult>({
    workDir: facts.workDir,
    meshID: readTexts(plan.after).file?.meshID,
    clusters: clustersOf(plan.after).map((cluster) => {
      const isImported = facts.makefile.files.some(({path}) => path.startsWith(`${cluster.name}/`));
      return {...cluster, outcome: before.has(JSON.stringify(cluster)) && !isImported ? 'unchanged' : status};
    }),
    changes: plan.groups.flatMap(({lanes}) => lanes.flatMap(({title}) => title.split('; '))),
    warnings: plan.warnings,
    errors: generalPart(run).errors,
  });
}

type DeclaredCluster = Omit<InitCluster, 'outcome'>;

function clustersOf(texts: DeclarationTexts): readonly DeclaredCluster[] {
  const {file, contexts} = readTexts(texts);
  return withContexts(file?.clusters ?? [], contexts).map(({name, istioName, context, network}) =>
    defined<DeclaredCluster>({name, istioName, context, network}),
  );
}

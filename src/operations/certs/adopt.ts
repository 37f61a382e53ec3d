/**
 * `certs adopt`: a running mesh becomes a work directory. Nothing in a cluster is changed; certificates are copied, keys
 * with `--with-keys` only, the key of a root never. A context that cannot be adopted keeps no other from it.
 */
import {defined} from '../../domain/defined.js';
import {type DeclarationFiles, declareMesh, type DeclarationTexts, readTexts} from '../../domain/mesh/declare.js';
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {isClusterName, parseClusterName} from '../../domain/mesh/names.js';
import {reconcile, checkFormats, defaults} from '../../domain/mesh/resolve.js';
import {isKnown, observe} from '../../domain/observed.js';
import {advice, inspectWith} from '../../domain/suggest/suggestion.js';
import type {WriteFiles} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, groupOf, onePhase, type PhaseRun, type Plan, type RunSettings} from '../../engine/operation.js';
import {
  clusterOutcomes,
  concludeRun,
  generalPart,
  outcomeOf,
  outcomeOfError,
  type ClusterResult,
} from '../../engine/report.js';
import {askExposure, gitBlockers, unknownToGit, type GitExposure} from '../shared/exposed-keys.js';
import {declaredFilesGroups, readDeclaringTexts} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readRunningCluster} from '../../observe/running-cluster.js';
import {summarise, type ShownCa} from '../../domain/ca/inspect-ca.js';
import {adopt} from './plan-adopt.js';
import {
  adoptableOf,
  type Adoption,
  type Adoptable,
  type KeptIn,
  type InspectedCluster,
  type ExistingWorkDir,
} from './adoption.js';
import type {CaRunResult} from './ca-run.js';

/** What `certs adopt` is asked for. */
export interface AdoptRequest {
  /** `CONTEXT` or `NAME=CONTEXT`, at least one. */
  readonly contexts: readonly string[];
  readonly istioNamespace?: string | undefined;
  readonly withKeys: boolean;
}

/** One context after the run. `unchanged`: the work directory had it all. */
export interface AdoptedCluster extends ClusterResult {
  readonly context: string;
  readonly uid?: string;
  readonly network?: string;
  /** The tags of its istiods. */
  readonly versions?: readonly string[];
  readonly keptIn?: KeptIn;
  readonly keeper?: string;
  readonly ca?: ShownCa;
  /** Files that were, or would be, written. */
  readonly files: readonly string[];
}

/** What `certs adopt` answers. */
export interface AdoptResult extends CaRunResult<AdoptedCluster> {
  /** Absolute path of the work directory. */
  readonly workDir: string;
  /** What was, or would be, written into mesh.yaml and its like, a line each; root-cert.pem too. */
  readonly changes: readonly string[];
}

interface AdoptFacts {
  readonly workDir: string;
  readonly request: AdoptRequest;
  readonly texts: DeclarationTexts;
  readonly standing: ExistingWorkDir;
  readonly looked: readonly InspectedCluster[];
  /** Of every key that may be copied. */
  readonly git: GitExposure;
}

/** Makes a work directory of what runs. */
export const adoptMesh = onePhase<AdoptRequest, AdoptResult, AdoptFacts, AdoptPlan>({
  command: 'certs adopt',
  changes: true,
  title: () => 'look at the clusters',
  gather,
  plan,
  report,
  conclude: concludeRun,
});

type Wanted = Pick<InspectedCluster, 'context' | 'said'>;

/** Throws `USAGE` and `INVALID_CLUSTER_NAME`. */
function wantedContexts(words: readonly string[]): readonly Wanted[] {
  if (words.length === 0) {
    throw new MeshError('USAGE', 'no kubeconfig context is named', {
      hints: [advice`${inspectWith.kubectl('any', ['config', 'get-contexts'])} lists what your kubeconfig has`],
    });
  }
  const wanted = words.map((word): Wanted => {
    if (word.trim() === '') throw new MeshError('USAGE', 'an empty word names no context');
    // A context may have "=" in its name, a cluster may not: the first one separates.
    const [, name, context = word] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (context === '') throw new MeshError('USAGE', `${word} names no context`, {hints: ['write NAME=CONTEXT']});
    return name === undefined ? {context} : {said: parseClusterName(name), context};
  });
  for (const field of ['context', 'said'] as const) {
    const values = wanted.flatMap((one) => one[field] ?? []);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) throw new MeshError('USAGE', `${twice} is said twice`);
  }
  return wanted;
}

async function gather(deps: Deps, request: AdoptRequest, {concurrency}: RunSettings): Promise<AdoptFacts> {
  const wanted = wantedContexts(request.contexts);
  const {workspace, clusters, now} = deps;
  const {istioNamespace} = request;
  const texts = await readDeclaringTexts(workspace);
  const {file, contexts} = readTexts(texts);
  const [rootCert, rootKey] = await Promise.all([workspace.readText(layout.rootCert), workspace.stat(layout.rootKey)]);
  const override = istioNamespace === undefined ? undefined : {value: istioNamespace, source: '--istio-namespace'};
  checkFormats(defined({istioNamespace: override}));
  const namespace = reconcile('istio.namespace', file?.istio?.namespace, override) ?? defaults.namespace;
  const options = {now: now(), keyMayBeMissing: true, trustDomain: file?.trustDomain};
  const looked = await eachCluster(wanted, concurrency, async (one) => ({
    ...one,
    seen: await observe(() => readRunningCluster(clusters, one.context, namespace, options)),
  }));
  const mayBeNamed = looked.flatMap(({said: name, seen, context}) => [
    name ?? context,
    ...(isKnown(seen) ? seen.value.controlPlanes.flatMap(({clusterID}) => clusterID ?? []) : []),
  ]);
  const declaredNames = (file?.clusters ?? []).map(({name}) => name);
  const names = [...new Set([...declaredNames, ...mayBeNamed].filter(isClusterName))];
  const read = names.map(async (name) => [name, await readCaFiles(workspace, name)] as const);
  const keys = request.withKeys ? names.map((name) => clusterLayout(name).caKey) : [];
  return {
    ...{workDir: workspace.root, request, texts, looked},
    standing: {file, contexts, rootCert, hasRootKey: rootKey !== undefined, files: new Map(await Promise.all(read))},
    git: await askExposure(deps, workspace, keys, texts.mesh === undefined || texts.gitignore === undefined),
  };
}

/** A plan with the decision behind it and its declaration, which is absent where no context can be adopted. */
interface AdoptPlan extends Plan {
  readonly adoption: Adoption;
  readonly declared?: DeclarationFiles;
}

/** Pure. What kept a context from being adopted is in its own result: it keeps no other from it. */
function plan({request, texts, standing, looked, git}: AdoptFacts): AdoptPlan {
  const adoption = adopt(looked, standing, request.withKeys);
  const {declaration, rootCert, warnings} = adoption;
  const good = adoptableOf(adoption.clusters);
  if (good.length === 0) return {...emptyPlan, adoption, warnings};
  const {istioNamespace} = request;
  const declared = declareMesh(texts, defined({...declaration, gitignore: true, istioNamespace}));
  const rootTitle = `write ${layout.rootCert}`;
  const writeRoot = {kind: 'write-files', id: 'root-cert', title: rootTitle} as const;
  const copied = good.filter(({copiesKey}) => copiesKey).map(({name}) => clusterLayout(name).caKey);
  return {
    adoption,
    declared,
    groups: [
      ...declaredFilesGroups(declared, declared.summary.length),
      ...groupOf(rootCert ? [{...writeRoot, files: [rootCert]}] : [], 'stop', 'root'),
      ...groupOf(good.filter(({files}) => files.length > 0).map(copyAction)),
    ],
    blockers: gitBlockers({...git, exposed: git.exposed.filter((key) => copied.includes(key))}),
    warnings: [...warnings, ...(copied.length > 0 ? unknownToGit(git) : [])],
  };
}

function copyAction({name, context, files, copiesKey}: Adoptable): WriteFiles {
  return defined({
    kind: 'write-files',
    id: `${name}/adopt`,
    cluster: name,
    title: `copy ${files.map(({path}) => path).join(', ')} from context ${context}`,
    files,
    confirm: copiesKey ? `copy the CA's private key out of cluster ${name} into ${name}/ca-key.pem` : undefined,
  });
}

/** Pure. */
function report(run: PhaseRun<AdoptFacts, AdoptPlan>): AdoptResult {
  const {workDir, standing} = run.facts;
  const {adoption, declared} = run.plan;
  const {clusters, rootCert} = adoption;
  const known = new Set((standing.file?.clusters ?? []).map(({name}) => name));
  const declaring = outcomeOf(run, {kind: 'write-files', id: 'declare'})?.status;
  return {
    workDir,
    clusters: clusters.map((one): AdoptedCluster => {
      const {context, name} = one;
      if ('error' in one) return {name, context, outcome: outcomeOfError(one.error), error: one.error, files: []};
      const [{outcome, error} = {outcome: 'unchanged' as const}] = clusterOutcomes([name], run);
      const {running, keptIn, keeper, files} = one;
      return defined({
        name,
        // Of a self-signed istiod there is no file, and it is declared all the same.
        outcome: outcome === 'unchanged' && !known.has(name) && declaring ? declaring : outcome,
        error,
        context,
        uid: running.uid,
        network: running.network,
        versions: [...new Set(running.controlPlanes.map(({tag}) => tag))],
        keptIn,
        keeper,
        ca: running.cacerts === 'absent' ? undefined : summarise(running.cacerts.inspection),
        files: files.map(({path}) => path),
      });
    }),
    changes: declared ? [...declared.summary, ...(rootCert ? [rootCert.path] : [])] : [],
    ...generalPart(run),
  };
}

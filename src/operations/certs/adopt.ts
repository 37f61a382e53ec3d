/**
 * `certs adopt`: creates a work directory from a running mesh. Changes nothing in a cluster. Copies certificates, keys
 * only with `--with-keys`, and never a root's key. A context that cannot be adopted does not stop the others.
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
import {checkGitExposure, gitBlockers, gitWarnings, type GitExposure} from '../shared/exposed-keys.js';
import {declaredFilesGroups, readDeclaringTexts} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readRunningCluster} from '../../observe/running-cluster.js';
import {summarizeCa, type ShownCa} from '../../domain/ca/inspect-ca.js';
import {adoptAll} from './plan-adopt.js';
import {
  adoptableOf,
  type Adoption,
  type Adoptable,
  type CaLocation,
  type InspectedContext,
  type ExistingWorkDir,
} from './adoption.js';
import type {CaRunResult} from './ca-run.js';

/** The request of `certs adopt`. */
export interface AdoptRequest {
  /** `CONTEXT` or `NAME=CONTEXT`, at least one. */
  readonly contexts: readonly string[];
  readonly istioNamespace?: string | undefined;
  readonly withKeys: boolean;
}

/** One context after the run. `unchanged`: the work directory was already up to date. */
export interface AdoptedCluster extends ClusterResult {
  readonly context: string;
  readonly uid?: string;
  /** istiod's clusterName, if it differs from the name. */
  readonly istioName?: string;
  readonly network?: string;
  /** The image tags of the cluster's istiods. */
  readonly versions?: readonly string[];
  readonly keptIn?: CaLocation;
  readonly keeper?: string;
  readonly ca?: ShownCa;
  /** Files that were (or would be) written. */
  readonly files: readonly string[];
}

/** The result of `certs adopt`. */
export interface AdoptResult extends CaRunResult<AdoptedCluster> {
  /** Absolute path of the work directory. */
  readonly workDir: string;
  /** What was (or would be) written to mesh.yaml, contexts.yaml, .gitignore and root-cert.pem, one line each. */
  readonly changes: readonly string[];
}

interface AdoptFacts {
  readonly workDir: string;
  readonly request: AdoptRequest;
  readonly texts: DeclarationTexts;
  readonly existing: ExistingWorkDir;
  readonly inspected: readonly InspectedContext[];
  /** For all keys that may be copied. */
  readonly git: GitExposure;
}

/** `certs adopt` */
export const adoptMesh = onePhase<AdoptRequest, AdoptResult, AdoptFacts, AdoptPlan>({
  command: 'certs adopt',
  changes: true,
  title: () => 'read the clusters',
  gather,
  plan,
  report,
  conclude: concludeRun,
});

type ContextArgument = Pick<InspectedContext, 'context' | 'givenName'>;

/** Parses the arguments. Throws `USAGE` and `INVALID_CLUSTER_NAME`. */
function parseContexts(words: readonly string[]): readonly ContextArgument[] {
  if (words.length === 0) {
    throw new MeshError('USAGE', 'no kubeconfig context given', {
      hints: [advice`to list your contexts: ${inspectWith.kubectl('any', ['config', 'get-contexts'])}`],
    });
  }
  const parsed = words.map((word): ContextArgument => {
    if (word.trim() === '') throw new MeshError('USAGE', 'the name of a context must not be empty');
    // Context names may contain "=", cluster names may not: the first "=" separates the two.
    const [, name, context = word] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (context === '') throw new MeshError('USAGE', `missing context in "${word}"`, {hints: ['use NAME=CONTEXT']});
    return name === undefined ? {context} : {givenName: parseClusterName(name), context};
  });
  for (const field of ['context', 'givenName'] as const) {
    const values = parsed.flatMap((one) => one[field] ?? []);
    const duplicate = values.find((value, index) => values.indexOf(value) !== index);
    if (duplicate !== undefined) throw new MeshError('USAGE', `${duplicate} is given more than once`);
  }
  return parsed;
}

async function gather(deps: Deps, request: AdoptRequest, {concurrency}: RunSettings): Promise<AdoptFacts> {
  const parsed = parseContexts(request.contexts);
  const {workspace, clusters, now} = deps;
  const {istioNamespace} = request;
  const texts = await readDeclaringTexts(workspace);
  const {file, contexts} = readTexts(texts);
  const [rootCert, rootKey] = await Promise.all([workspace.readText(layout.rootCert), workspace.stat(layout.rootKey)]);
  const override = istioNamespace === undefined ? undefined : {value: istioNamespace, source: '--istio-namespace'};
  checkFormats(defined({istioNamespace: override}));
  const namespace = reconcile('istio.namespace', file?.istio?.namespace, override) ?? defaults.namespace;
  const options = {now: now(), keyMayBeMissing: true, trustDomain: file?.trustDomain};
  const inspected = await eachCluster(parsed, concurrency, async (one) => ({
    ...one,
    observed: await observe(() => readRunningCluster(clusters, one.context, namespace, options)),
  }));
  const possibleNames = inspected.flatMap(({givenName, observed, context}) => [
    givenName ?? context,
    ...(isKnown(observed)
      ? observed.value.controlPlanes.flatMap((one) => [one.clusterID ?? [], one.proxyClusterID ?? []].flat())
      : []),
  ]);
  const declaredNames = (file?.clusters ?? []).map(({name}) => name);
  const names = [...new Set([...declaredNames, ...possibleNames].filter(isClusterName))];
  const read = names.map(async (name) => [name, await readCaFiles(workspace, name)] as const);
  const keys = request.withKeys ? names.map((name) => clusterLayout(name).caKey) : [];
  return {
    ...{workDir: workspace.root, request, texts, inspected},
    existing: {file, contexts, rootCert, hasRootKey: rootKey !== undefined, files: new Map(await Promise.all(read))},
    git: await checkGitExposure(deps, workspace, keys, texts.mesh === undefined || texts.gitignore === undefined),
  };
}

/** A plan with its decision, and its declaration, which is absent if no context can be adopted. */
interface AdoptPlan extends Plan {
  readonly adoption: Adoption;
  readonly declared?: DeclarationFiles;
}

/** Pure. Why a context cannot be adopted is part of its result, not a blocker: the others are still adopted. */
function plan({request, texts, existing, inspected, git}: AdoptFacts): AdoptPlan {
  const adoption = adoptAll(inspected, existing, request.withKeys);
  const {declaration, rootCert, warnings} = adoption;
  const adoptable = adoptableOf(adoption.clusters);
  if (adoptable.length === 0) return {...emptyPlan, adoption, warnings};
  const {istioNamespace} = request;
  const declared = declareMesh(texts, defined({...declaration, gitignore: true, istioNamespace}));
  const rootTitle = `write ${layout.rootCert}`;
  const writeRoot = {kind: 'write-files', id: 'root-cert', title: rootTitle} as const;
  const copiedKeys = adoptable.filter(({copiesKey}) => copiesKey).map(({name}) => clusterLayout(name).caKey);
  return {
    adoption,
    declared,
    groups: [
      ...declaredFilesGroups(declared, declared.summary.length),
      ...groupOf(rootCert ? [{...writeRoot, files: [rootCert]}] : [], 'stop', 'root'),
      ...groupOf(adoptable.filter(({files}) => files.length > 0).map(copyAction)),
    ],
    blockers: gitBlockers({...git, exposed: git.exposed.filter((key) => copiedKeys.includes(key))}),
    warnings: [...warnings, ...(copiedKeys.length > 0 ? gitWarnings(git) : [])],
  };
}

function copyAction({name, context, files, copiesKey}: Adoptable): WriteFiles {
  return defined({
    kind: 'write-files',
    id: `${name}/adopt`,
    cluster: name,
    title: `copy ${files.map(({path}) => path).join(', ')} from context ${context}`,
    files,
    confirm: copiesKey ? `copy the CA key of cluster ${name} to ${name}/ca-key.pem` : undefined,
  });
}

/** Pure. */
function report(run: PhaseRun<AdoptFacts, AdoptPlan>): AdoptResult {
  const {workDir, existing} = run.facts;
  const {adoption, declared} = run.plan;
  const {clusters, rootCert} = adoption;
  const known = new Set((existing.file?.clusters ?? []).map(({name}) => name));
  const after = declared === undefined ? undefined : readTexts(declared.after).file;
  const declaredNames = new Map((after?.clusters ?? []).map((one) => [one.name, one.istioName]));
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
        // A cluster with a self-signed istiod has no files to copy, but is still declared in mesh.yaml.
        outcome: outcome === 'unchanged' && !known.has(name) && declaring ? declaring : outcome,
        error,
        context,
        uid: running.uid,
        istioName: declaredNames.get(name),
        network: running.network,
        versions: [...new Set(running.controlPlanes.map(({tag}) => tag))],
        keptIn,
        keeper,
        ca: running.cacerts === 'absent' ? undefined : summarizeCa(running.cacerts.inspection),
        files: files.map(({path}) => path),
      });
    }),
    changes: declared ? [...declared.summary, ...(rootCert ? [rootCert.path] : [])] : [],
    ...generalPart(run),
  };
}

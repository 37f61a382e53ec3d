/**
 * `certs adopt`: a running mesh becomes a work directory. Nothing in a cluster is changed; certificates are copied, keys
 * with `--with-keys` only, the key of a root never. A context that cannot be adopted keeps no other from it.
 */
import {defined} from '../../domain/defined.js';
import {type DeclaredFiles, declareMesh, type DeclaringTexts} from '../../domain/mesh/declare.js';
import {type ErrorReport, MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {isClusterName, parseClusterName} from '../../domain/mesh/names.js';
import {parseContextsFile, parseMeshFile} from '../../domain/mesh/parse.js';
import {agree, checkForms, defaults, resolveMesh} from '../../domain/mesh/resolve.js';
import {isKnown, observe} from '../../domain/observed.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {advice} from '../../domain/suggest/advice.js';
import {lookWith} from '../../domain/suggest/suggestion.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {
  type Group,
  onePhase,
  type PhaseRun,
  type Plan,
  type RunSettings,
  type Warning,
} from '../../engine/operation.js';
import {groupOf} from '../../engine/plan.js';
import {
  clusterOutcomes,
  concludeRun,
  generalPart,
  outcomeOf,
  outcomeOfError,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {askExposure, gitBlockers, unknownToGit, type GitExposure} from '../shared/exposed-keys.js';
import {declareAction, declaredFilesGroups} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readRunningCluster} from '../../observe/running-cluster.js';
import {summarise, type CaSummary} from '../../domain/trust/ca-summary.js';
import {adopt} from './adopt-plan.js';
import type {Adopted, Adoption, KeptIn, Looked, Standing} from './adoption.js';

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
  readonly ca?: CaSummary;
  /** Files that were, or would be, written. */
  readonly files: readonly string[];
}

/** What `certs adopt` answers. */
export interface AdoptResult extends CommonResult {
  /** Absolute path of the work directory. */
  readonly workDir: string;
  readonly clusters: readonly AdoptedCluster[];
  /** What was, or would be, written into mesh.yaml and its like, a line each; root-cert.pem too. */
  readonly changes: readonly string[];
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

interface AdoptFacts {
  readonly workDir: string;
  readonly texts: DeclaringTexts;
  readonly standing: Standing;
  readonly adoption: Adoption;
  readonly istioNamespace: string | undefined;
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

type Wanted = Pick<Looked, 'context' | 'said'>;

/** Throws `USAGE` and `INVALID_CLUSTER_NAME`. */
function wantedContexts(words: readonly string[]): readonly Wanted[] {
  if (words.length === 0) {
    throw new MeshError('USAGE', 'no kubeconfig context is named', {
      hints: [advice`${lookWith.kubectl('any', ['config', 'get-contexts'])} lists what your kubeconfig has`],
    });
  }
  const wanted = words.map((word): Wanted => {
    // A context may have "=" in its name, a cluster may not: the first one separates.
    const at = word.indexOf('=');
    if (word.trim() === '') throw new MeshError('USAGE', 'an empty word names no context');
    if (at === -1) return {context: word};
    const context = word.slice(at + 1);
    if (context === '') throw new MeshError('USAGE', `${word} names no context`, {hints: ['write NAME=CONTEXT']});
    return {said: parseClusterName(word.slice(0, at)), context};
  });
  for (const field of ['context', 'said'] as const) {
    const values = wanted.flatMap((one) => one[field] ?? []);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) throw new MeshError('USAGE', `${twice} is said twice`);
  }
  return wanted;
}

async function gather(
  deps: Deps,
  {contexts: words, istioNamespace, withKeys}: AdoptRequest,
  {concurrency}: RunSettings,
): Promise<AdoptFacts> {
  const wanted = wantedContexts(words);
  const {workspace, clusters} = deps;
  const [mesh, contexts, gitignore, rootCert, rootKey] = await Promise.all([
    workspace.readText(layout.meshYaml),
    workspace.readText(layout.contextsYaml),
    workspace.readText(layout.gitignore),
    workspace.readText(layout.rootCert),
    workspace.stat(layout.rootKey),
  ]);
  const texts: DeclaringTexts = {mesh, contexts, gitignore};
  const file = mesh === undefined ? undefined : parseMeshFile(mesh);
  const own = contexts === undefined ? {} : parseContextsFile(contexts);
  const said = istioNamespace === undefined ? undefined : {value: istioNamespace, by: '--istio-namespace'};
  checkForms(defined({istioNamespace: said}));
  const namespace = agree('istio.namespace', file?.istio?.namespace, said) ?? defaults.namespace;
  const options = {now: deps.now(), keyMayBeMissing: true, trustDomain: file?.trustDomain};
  const looked = await eachCluster(wanted, concurrency, async (one): Promise<Looked> => ({
    ...one,
    seen: await observe(() => readRunningCluster(clusters, one.context, namespace, options)),
  }));
  const names = [
    ...(file?.clusters ?? []).map(({name}) => name),
    ...looked.flatMap(({said: name, seen, context}) => [
      name ?? context,
      ...(isKnown(seen) ? seen.value.controlPlanes.flatMap(({clusterID}) => clusterID ?? []) : []),
    ]),
  ];
  const standing: Standing = {
    file,
    contexts: own,
    rootCert,
    hasRootKey: rootKey !== undefined,
    files: await readFiles(workspace, names),
  };
  const adoption = adopt(looked, standing, withKeys);
  const keys = adoption.clusters.flatMap(({files}) =>
    files.flatMap(({path, content}) => (typeof content === 'string' ? [] : [path])),
  );
  const git = await askExposure(deps, workspace, keys, mesh === undefined || gitignore === undefined);
  return {workDir: workspace.root, texts, standing, adoption, istioNamespace, git};
}

/** What the work directory has of these clusters; nothing where there is no such folder. */
async function readFiles(
  workspace: Deps['workspace'],
  names: readonly string[],
): Promise<ReadonlyMap<string, CaFiles>> {
  const valid = [...new Set(names)].filter(isClusterName);
  const found = await Promise.all(
    valid.map(async (name): Promise<readonly (readonly [string, CaFiles])[]> =>
      (await workspace.stat(name))?.kind === 'directory' ? [[name, await readCaFiles(workspace, name)]] : [],
    ),
  );
  return new Map(found.flat());
}

/** A plan, with what it declares; absent where no context can be adopted. */
interface AdoptPlan extends Plan {
  readonly declared?: DeclaredFiles;
}

/** Pure. What kept a context from being adopted is in its own result: it keeps no other from it. */
function plan(facts: AdoptFacts): AdoptPlan {
  const {adoption, git} = facts;
  const good = adoption.clusters.filter(({error}) => error === undefined);
  const declared = good.length === 0 ? undefined : declarations(facts);
  return defined({
    declared,
    groups: declared ? [...declaredFilesGroups(declared, declared.summary.length), ...fileGroups(adoption)] : [],
    blockers: gitBlockers(git),
    warnings: [...adoption.warnings, ...unknownToGit(git)],
  });
}

/** Throws what makes mesh.yaml invalid: two clusters of one context, for example. */
function declarations({texts, adoption, istioNamespace}: AdoptFacts): DeclaredFiles {
  const declared = declareMesh(texts, defined({...adoption.declaration, gitignore: true, istioNamespace}));
  const after = (path: string, before: string | undefined): string | undefined =>
    declared.files.find((one) => one.path === path)?.content ?? before;
  const mesh = after(layout.meshYaml, texts.mesh);
  const contexts = after(layout.contextsYaml, texts.contexts);
  const file = mesh === undefined ? undefined : parseMeshFile(mesh);
  if (file?.clusters?.length) {
    resolveMesh({file, contexts: contexts === undefined ? {} : parseContextsFile(contexts), names: [], said: {}});
  }
  return declared;
}

function fileGroups({clusters, rootCert}: Adoption): readonly Group[] {
  const copied = clusters.filter(({error, files}) => error === undefined && files.length > 0);
  const root = (rootCert ? [rootCert] : []).map((file): Action => ({
    kind: 'write-files',
    id: 'root-cert',
    title: `write ${file.path}`,
    files: [file],
  }));
  return [...groupOf('root', root), ...groupOf('adopt the CAs', copied.map(copyAction))];
}

function copyAction({name, context, files, copiesKey}: Adopted): Action {
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
  const {facts, plan: planned} = run;
  const {clusters, rootCert} = facts.adoption;
  const known = new Set((facts.standing.file?.clusters ?? []).map(({name}) => name));
  const declared = outcomeOf(run, planned.declared && declareAction(planned.declared))?.status;
  const good = clusters.filter(({error}) => error === undefined);
  const results = clusterOutcomes(
    good.map(({name}) => name),
    run,
  );
  return {
    workDir: facts.workDir,
    clusters: clusters.map((one): AdoptedCluster => {
      const {context, name, error} = one;
      if (error) return {name, context, outcome: outcomeOfError(error), error, files: []};
      const own = results.find((result) => result.name === name) ?? {name, outcome: 'unchanged' as const};
      // Of a self-signed istiod there is no file, and it is declared all the same.
      const outcome = own.outcome === 'unchanged' && !known.has(name) && declared ? declared : own.outcome;
      return {...own, outcome, context, ...described(one), files: one.files.map(({path}) => path)};
    }),
    changes: planned.declared ? [...planned.declared.summary, ...(rootCert ? [rootCert.path] : [])] : [],
    ...generalPart(run),
  };
}

function described({running, keptIn, keeper}: Adopted): Partial<AdoptedCluster> {
  if (!running) return {};
  const {uid, network, cacerts, controlPlanes} = running;
  return defined({
    uid,
    network,
    versions: [...new Set(controlPlanes.map(({tag}) => tag))],
    keptIn,
    keeper,
    ca: cacerts === 'absent' ? undefined : summarise(cacerts.inspection),
  });
}

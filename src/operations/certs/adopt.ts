/**
 * `certs adopt`: a running mesh becomes a work directory. Nothing in a cluster is changed; certificates are copied, keys
 * with `--with-keys` only, the key of a root never. A context that cannot be adopted keeps no other from it.
 */
import {defined} from '../../domain/defined.js';
import {type DeclaredFiles, declareMesh, type DeclaringTexts} from '../../domain/mesh/declare.js';
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
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
import type {Group, Operation, PhaseRun, Plan, Warning} from '../../engine/operation.js';
import {
  clusterOutcomes,
  concludeClusters,
  generalErrors,
  outcomeOf,
  outcomeOfError,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {askExposure, keyInGit, unknownToGit, type GitExposure} from '../shared/exposed-keys.js';
import {declareAction, declaredFilesGroups} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/each-cluster.js';
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
export const adoptMesh: Operation<AdoptRequest, AdoptResult> = {
  command: 'certs adopt',
  changes: true,
  async execute(request, engine) {
    const wanted = wantedContexts(request.contexts);
    const run = await engine.run<AdoptFacts, AdoptPlan>({
      title: 'look at the clusters',
      gather: (deps) => gather(deps, request, wanted, engine.settings.concurrency),
      plan,
    });
    return report(run);
  },
  conclude: ({clusters, errors}) => [...concludeClusters(clusters), ...errors.map(({code}) => code)],
};

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
  {istioNamespace, withKeys}: AdoptRequest,
  wanted: readonly Wanted[],
  concurrency: number,
): Promise<AdoptFacts> {
  const {workspace} = deps;
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
  const looked = await lookAtEach(deps, wanted, {namespace, options, concurrency});
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
  const git =
    keys.length === 0
      ? {exposed: [], unknown: undefined}
      : await askExposure(deps, workspace, keys, mesh === undefined || gitignore === undefined);
  return {workDir: workspace.root, texts, standing, adoption, istioNamespace, git};
}

async function lookAtEach(
  {clusters}: Deps,
  wanted: readonly Wanted[],
  {
    namespace,
    options,
    concurrency,
  }: {
    readonly namespace: string;
    readonly options: Parameters<typeof readRunningCluster>[3];
    readonly concurrency: number;
  },
): Promise<readonly Looked[]> {
  return eachCluster(wanted, concurrency, async (one) => ({
    ...one,
    seen: await observe(() => readRunningCluster(clusters, one.context, namespace, options)),
  }));
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
    blockers: git.exposed.length > 0 ? [{error: reportError(keyInGit(git.exposed))}] : [],
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
  const lanes = clusters.filter(({error, files}) => error === undefined && files.length > 0);
  return [
    ...(rootCert
      ? [
          {
            title: 'root',
            lanes: [
              {
                key: 'root',
                title: `write ${rootCert.path}`,
                actions: [
                  {kind: 'write-files' as const, id: 'root-cert', title: `write ${rootCert.path}`, files: [rootCert]},
                ],
              },
            ],
            onFailure: 'stop' as const,
          },
        ]
      : []),
    ...(lanes.length === 0
      ? []
      : [
          {
            title: 'adopt the CAs',
            lanes: lanes.map((one) => ({
              key: one.name,
              cluster: one.name,
              title: `${one.name}: ${copyAction(one).title}`,
              actions: [copyAction(one)],
            })),
            onFailure: 'stop' as const,
          },
        ]),
  ];
}

function copyAction({name, context, files, copiesKey}: Adopted): Action {
  return {
    kind: 'write-files',
    id: `${name}/adopt`,
    cluster: name,
    title: `copy ${files.map(({path}) => path).join(', ')} from context ${context}`,
    files,
    ...(copiesKey && {confirm: `copy the CA's private key out of cluster ${name} into ${name}/ca-key.pem`}),
  };
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
    errors: generalErrors(run),
    warnings: planned.warnings,
  };
}

function described({running, keptIn, keeper}: Adopted): Partial<AdoptedCluster> {
  if (!running) return {};
  const {uid, network, cacerts, controlPlanes} = running;
  return {
    uid,
    ...(network !== undefined && {network}),
    versions: [...new Set(controlPlanes.map(({tag}) => tag))],
    ...(keptIn && {keptIn}),
    ...(keeper !== undefined && {keeper}),
    ...(cacerts !== 'absent' && {ca: summarise(cacerts.inspection)}),
  };
}

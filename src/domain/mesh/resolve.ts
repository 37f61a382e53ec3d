/**
 * mesh.yaml, contexts.yaml and what was said on the command line or in a variable, resolved into one {@link Mesh} and
 * the clusters a command is about (docs/mesh-yaml.md). Pure.
 *
 * Precedence of the context: `--context`, contexts.yaml, mesh.yaml. Everything else: mesh.yaml declares; what is said
 * fills what it leaves out, and may not contradict it.
 */
import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import {nearest} from '../nearest.js';
import {advice} from '../suggest/advice.js';
import {kubectlMesh, words} from '../suggest/suggestion.js';
import {parseDays, parsePercent} from './duration.js';
import {layout} from './layout.js';
import type {Mesh, MeshCluster, MeshIstio, MeshTrust} from './mesh.js';
import type {ExpiryThreshold} from '../x509/expiry.js';
import type {KeyAlgorithm} from '../keys/keys.js';
import {dnsLabelPattern, dnsLabelRule, labelValuePattern, labelValueRule, parseClusterName} from './names.js';
import type {ContextsFile, MeshFile, MeshFileCluster} from './schema.js';
import {resolveSigner, type SaidSigner, type SignerSpec} from './signer.js';

/** A value and who said it: `--mesh-id`, `NETWORK_1`. The name stands in messages. */
export interface Said<T extends string = string> {
  readonly value: T;
  readonly by: string;
}

/** What was said for this run. Absent is not said: flags with such meaning have no defaults. */
export interface SaidValues {
  /** Legal with exactly one selected cluster; differs freely from what is declared. */
  readonly context?: Said;
  readonly meshID?: Said;
  /** For each selected cluster. */
  readonly network?: Said;
  readonly istioNamespace?: Said;
  readonly istioVersion?: Said;
  readonly keyAlgorithm?: Said<KeyAlgorithm>;
  readonly signer?: SaidSigner;
}

/** Everything that says what the mesh is. */
export interface MeshSources {
  /** Undefined: there is no mesh.yaml. */
  readonly file: MeshFile | undefined;
  readonly contexts: ContextsFile;
  /** Clusters named on the command line; none means all. */
  readonly names: readonly string[];
  readonly said: SaidValues;
}

/** The mesh, and the clusters this run is about. */
export interface ResolvedMesh {
  readonly mesh: Mesh;
  readonly selected: readonly MeshCluster[];
}

const emptyMeshFile = {apiVersion: 'kubectl-mesh/v1alpha1', kind: 'Mesh'} as const;

/** Istio's own defaults (istio/istio manifests/profiles/default.yaml) and the ones of docs/mesh-yaml.md. */
export const defaults = {
  trustDomain: 'cluster.local',
  namespace: 'istio-system',
  profile: 'default',
  keyAlgorithm: 'rsa-4096',
  rootValidityDays: 3650,
  clusterValidityDays: 730,
  warn: {share: 0.3, days: 30},
  error: {share: 0.1, days: 7},
} as const;

/**
 * Resolves. Throws `INVALID_CLUSTER_NAME`, `UNKNOWN_CLUSTER`, `MESH_YAML_MISSING` (no mesh.yaml and nothing named),
 * `CONTRADICTION`, `USAGE` (`--context` with several clusters).
 */
export function resolveMesh(sources: MeshSources): ResolvedMesh {
  const names = [...new Set(sources.names.map(parseClusterName))];
  const declared: MeshFile = sources.file ?? {...emptyMeshFile, clusters: names.map((name) => ({name}))};
  checkNames(sources, names);
  const {said} = sources;
  checkForms(said);
  const selectedNames = new Set(names.length > 0 ? names : (declared.clusters ?? []).map(({name}) => name));
  checkContext(sources, declared.clusters ?? [], selectedNames);
  checkContexts(sources.contexts, declared.clusters ?? []);
  const clusters = (declared.clusters ?? []).map((cluster) =>
    resolveCluster(cluster, sources, selectedNames.has(cluster.name)),
  );
  const istio = resolveIstio(declared.istio ?? {}, said);
  const expected = declared.access?.expected;
  const mesh = defined<Mesh>({
    meshID: agree('meshID', declared.meshID, said.meshID),
    trustDomain: declared.trustDomain ?? defaults.trustDomain,
    istio,
    trust: resolveTrust(declared.trust ?? {}, istio, said),
    access: expected && {expected},
    clusters,
  });
  return {mesh, selected: inOrder(names, clusters, selectedNames)};
}

/** As typed where clusters were named; else as declared. */
function inOrder(
  names: readonly string[],
  clusters: readonly MeshCluster[],
  selected: ReadonlySet<string>,
): readonly MeshCluster[] {
  if (names.length === 0) return clusters.filter(({name}) => selected.has(name));
  return names.flatMap((name) => clusters.filter((cluster) => cluster.name === name));
}

function checkNames({file}: MeshSources, names: readonly string[]): void {
  if (!file) {
    if (names.length > 0) return;
    throw new MeshError('MESH_YAML_MISSING', `there is no ${layout.meshYaml} here and no cluster was named`, {
      hints: [
        advice`${kubectlMesh('init', words`NAME=CONTEXT`)} makes one`,
        'name a cluster, or say where the work directory is with --work-dir or WORK_DIR',
      ],
    });
  }
  const known = (file.clusters ?? []).map(({name}) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) {
    if (names.length > 0 || known.length > 0) return;
    throw new MeshError('MISSING_VALUE', `${layout.meshYaml} declares no clusters`, {
      hints: [advice`${kubectlMesh('init', words`NAME=CONTEXT`)} adds one`],
    });
  }
  const meant = nearest(unknown, known);
  throw new MeshError(
    'UNKNOWN_CLUSTER',
    `${unknown} is no cluster of ${layout.meshYaml}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
    {
      hints: [
        advice`${kubectlMesh('init', [unknown])} adds it`,
        known.length === 0 ? `${layout.meshYaml} declares no clusters` : `declared are: ${known.join(', ')}`,
      ],
    },
  );
}

/** What was said has the form that mesh.yaml asks for; it may be recorded there. Throws `USAGE`. */
export function checkForms({
  meshID,
  network,
  istioNamespace,
}: Pick<SaidValues, 'meshID' | 'network' | 'istioNamespace'>): void {
  const rules = [
    {said: meshID, pattern: labelValuePattern, rule: labelValueRule},
    {said: network, pattern: labelValuePattern, rule: labelValueRule},
    {said: istioNamespace, pattern: dnsLabelPattern, rule: dnsLabelRule},
  ];
  for (const {said, pattern, rule} of rules) {
    if (said && !pattern.test(said.value)) {
      throw new MeshError('USAGE', `${said.by} ${JSON.stringify(said.value)} is not valid`, {
        hints: [`it has ${rule}`],
      });
    }
  }
}

function checkContext(
  {contexts, said}: MeshSources,
  clusters: readonly MeshFileCluster[],
  selected: ReadonlySet<string>,
): void {
  if (!said.context) return;
  const {value, by} = said.context;
  if (selected.size !== 1) {
    throw new MeshError('USAGE', `${by} is for exactly one cluster, this run is about ${String(selected.size)}`, {
      hints: ['name one cluster', 'contexts of several clusters go into mesh.yaml or contexts.yaml'],
    });
  }
  const other = clusters.find(
    (cluster) => !selected.has(cluster.name) && (contexts[cluster.name] ?? cluster.context) === value,
  );
  if (other) {
    throw new MeshError(
      'CONTRADICTION',
      `${by} ${value} is the context of cluster ${other.name}, this run is about ${[...selected].join('')}`,
      {hints: ['one cluster has one name: take another context, or name that cluster']},
    );
  }
}

/** Each file alone was found free of doubles; together they may still send two clusters to one context. */
function checkContexts(contexts: ContextsFile, clusters: readonly MeshFileCluster[]): void {
  const owners = new Map<string, string>();
  for (const cluster of clusters) {
    const context = contexts[cluster.name] ?? cluster.context;
    if (context === undefined) continue;
    const owner = owners.get(context);
    if (owner !== undefined) {
      throw new MeshError(
        'CONTRADICTION',
        `clusters ${owner} and ${cluster.name} have one context, ${context}: ${layout.contextsYaml} and ${layout.meshYaml} together say so`,
        {hints: [`look at both files: ${layout.contextsYaml} goes before ${layout.meshYaml}`]},
      );
    }
    owners.set(context, cluster.name);
  }
}

function resolveCluster(cluster: MeshFileCluster, sources: MeshSources, selected: boolean): MeshCluster {
  const {contexts, said} = sources;
  const {name, context, network, role = 'primary'} = cluster;
  return defined<MeshCluster>({
    ...cluster,
    role,
    context: (selected ? said.context?.value : undefined) ?? contexts[name] ?? context,
    network: selected ? agree(`network of ${name}`, network, said.network) : network,
  });
}

function resolveIstio(declared: NonNullable<MeshFile['istio']>, said: SaidValues): MeshIstio {
  return defined<MeshIstio>({
    ...declared,
    version: agree('istio.version', declared.version, said.istioVersion),
    namespace: agree('istio.namespace', declared.namespace, said.istioNamespace) ?? defaults.namespace,
    profile: declared.profile ?? defaults.profile,
  });
}

function resolveTrust(declared: NonNullable<MeshFile['trust']>, {namespace}: MeshIstio, said: SaidValues): MeshTrust {
  const rootValidityDays = validity(declared.rootValidity) ?? defaults.rootValidityDays;
  return defined({
    keyAlgorithm: agree('trust.keyAlgorithm', declared.keyAlgorithm, said.keyAlgorithm) ?? defaults.keyAlgorithm,
    rootValidityDays,
    // The default gives way to a short root: a cluster CA never outlives it.
    clusterValidityDays: validity(declared.clusterValidity) ?? Math.min(defaults.clusterValidityDays, rootValidityDays),
    signer: inNamespace(resolveSigner(declared.signer, said.signer ?? {}), namespace),
    keepClusterKeys: declared.keepClusterKeys ?? true,
    rotationReady: declared.rotationReady ?? true,
    rotationDeclared: declared.rotationReady === true ? true : undefined,
    expiry: {
      warn: threshold(declared.expiry?.warn) ?? defaults.warn,
      error: threshold(declared.expiry?.error) ?? defaults.error,
    },
  });
}

/** A root in a cluster lies in Istio's namespace where nothing else is said. */
function inNamespace(signer: SignerSpec, namespace: string): SignerSpec {
  return signer.type === 'cluster' ? {namespace, ...signer} : signer;
}

function validity(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDays(text);
}

function threshold(pair: readonly [string, string] | undefined): ExpiryThreshold | undefined {
  return pair && {share: parsePercent(pair[0]), days: parseDays(pair[1])};
}

/** What is declared, or else what was said. Throws `CONTRADICTION` when they differ. */
export function agree<T extends string>(
  field: string,
  declared: T | undefined,
  said: Said<T> | undefined,
): T | undefined {
  if (declared === undefined || said === undefined || declared === said.value) return declared ?? said?.value;
  throw new MeshError(
    'CONTRADICTION',
    `${said.by} says ${said.value}, ${layout.meshYaml} declares ${field}: ${declared}`,
    {
      hints: [`leave ${said.by} away, or change ${layout.meshYaml}`],
    },
  );
}

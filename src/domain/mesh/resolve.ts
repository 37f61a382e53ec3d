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
import {advice, kubectlMesh, inspectWith, words} from '../suggest/suggestion.js';
import {parseDays, parsePercent} from './duration.js';
import {layout} from './layout.js';
import type {Mesh, MeshCluster, MeshIstio, MeshTrust} from './mesh.js';
import type {ExpiryThreshold} from '../x509/expiry.js';
import type {KeyAlgorithm} from '../keys/keys.js';
import {dnsLabelPattern, dnsLabelRule, labelValuePattern, labelValueRule, parseClusterName} from './names.js';
import {duplicates} from './rules.js';
import type {ContextsFile, MeshFile, MeshFileCluster} from './schema.js';
import {resolveSigner, type SignerOverride} from './signer.js';

/** A value and who said it: `--mesh-id`, `NETWORK_1`. The name stands in messages. */
export interface Override<T extends string = string> {
  readonly value: T;
  readonly source: string;
}

/** What was said for this run. Absent is not said: flags with such meaning have no defaults. */
export interface Overrides {
  /** Legal with exactly one selected cluster; differs freely from what is declared. */
  readonly context?: Override;
  readonly meshID?: Override;
  /** For each selected cluster. */
  readonly network?: Override;
  readonly istioNamespace?: Override;
  readonly istioVersion?: Override;
  readonly keyAlgorithm?: Override<KeyAlgorithm>;
  readonly signer?: SignerOverride;
}

/** Everything that says what the mesh is. */
export interface MeshSources {
  /** Undefined: there is no mesh.yaml. */
  readonly file: MeshFile | undefined;
  readonly contexts: ContextsFile;
  /** Clusters named on the command line; none means all. */
  readonly names: readonly string[];
  /** Whether named clusters that mesh.yaml does not contain are added to the mesh instead of rejected. */
  readonly addClusters?: boolean | undefined;
  readonly overrides: Overrides;
}

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
 * The mesh, and the clusters this run is about. Throws `INVALID_CLUSTER_NAME`, `UNKNOWN_CLUSTER`, `MESH_YAML_MISSING` (no mesh.yaml and nothing named),
 * `CONTRADICTION`, `USAGE` (`--context` with several clusters).
 */
export function resolveMesh({file, contexts, overrides: said, addClusters, ...sources}: MeshSources): {
  readonly mesh: Mesh;
  readonly selected: readonly MeshCluster[];
} {
  const names = [...new Set(sources.names.map(parseClusterName))];
  if (!file && names.length === 0) throw noMeshGiven();
  const declared = file?.clusters ?? [];
  const missing = names.filter((name) => !declared.some((cluster) => cluster.name === name));
  const all = !file || addClusters ? [...declared, ...missing.map((name) => ({name}))] : declared;
  checkNames(names, all);
  checkFormats(said);
  const known = withContexts(all, contexts);
  const isSelected = ({name}: MeshFileCluster): boolean => names.length === 0 || names.includes(name);
  if (said.context) checkContext(said.context, known, isSelected);
  checkContexts(known);
  const clusters = known.map((cluster): MeshCluster => {
    const {name, role = 'primary', context, network} = cluster;
    if (!isSelected(cluster)) return {...cluster, role};
    return defined<MeshCluster>({
      ...cluster,
      role,
      context: said.context?.value ?? context,
      network: declaredOrOverride(`network of ${name}`, network, said.network),
    });
  });
  const istio = resolveIstio(file?.istio ?? {}, said);
  const mesh = defined<Mesh>({
    meshID: declaredOrOverride('meshID', file?.meshID, said.meshID),
    trustDomain: file?.trustDomain ?? defaults.trustDomain,
    istio,
    trust: resolveTrust(file?.trust ?? {}, istio, said),
    access: file?.access,
    clusters,
  });
  // As typed where clusters were named; else as declared.
  const selected = names.flatMap((name) => clusters.filter((cluster) => cluster.name === name));
  return {mesh, selected: names.length === 0 ? clusters : selected};
}

function noMeshGiven(): MeshError {
  return new MeshError('MESH_YAML_MISSING', `there is no ${layout.meshYaml} here and no cluster was named`, {
    hints: [
      advice`${kubectlMesh('init', words`NAME=CONTEXT`)} makes one`,
      'name a cluster, or say where the work directory is with --work-dir or WORK_DIR',
    ],
  });
}

function checkNames(names: readonly string[], clusters: readonly MeshFileCluster[]): void {
  const known = clusters.map(({name}) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) {
    if (known.length > 0) return;
    throw new MeshError('MISSING_VALUE', `${layout.meshYaml} declares no clusters`, {
      hints: [advice`${kubectlMesh('init', words`NAME=CONTEXT`)} adds one`],
    });
  }
  const meant = nearest(unknown, known);
  const perhaps = meant === undefined ? '' : `: did you mean ${meant}?`;
  throw new MeshError('UNKNOWN_CLUSTER', `${unknown} is no cluster of ${layout.meshYaml}${perhaps}`, {
    hints: [
      advice`${kubectlMesh('init', [unknown])} adds it`,
      known.length === 0 ? `${layout.meshYaml} declares no clusters` : `declared are: ${known.join(', ')}`,
    ],
  });
}

/** The form of what is typed: that of mesh.yaml, where it may be recorded. */
const formats = {
  meshID: {pattern: labelValuePattern, rule: labelValueRule},
  network: {pattern: labelValuePattern, rule: labelValueRule},
  istioNamespace: {pattern: dnsLabelPattern, rule: dnsLabelRule},
};

/** Checks that what was typed has the form that mesh.yaml requires. Throws `USAGE`. */
export function checkFormats(said: {readonly [Field in keyof typeof formats]?: Override | undefined}): void {
  for (const field of ['meshID', 'network', 'istioNamespace'] as const) {
    const one = said[field];
    if (!one || formats[field].pattern.test(one.value)) continue;
    throw new MeshError('USAGE', `${one.source} ${JSON.stringify(one.value)} is not valid`, {
      hints: [`it has ${formats[field].rule}`],
    });
  }
}

/** The clusters with the contexts that hold for this person. */
export function withContexts(clusters: readonly MeshFileCluster[], contexts: ContextsFile): readonly MeshFileCluster[] {
  return clusters.map((cluster) =>
    defined<MeshFileCluster>({...cluster, context: contexts[cluster.name] ?? cluster.context}),
  );
}

function checkContext(
  {value, source: by}: Override,
  clusters: readonly MeshFileCluster[],
  isSelected: (cluster: MeshFileCluster) => boolean,
): void {
  const selected = clusters.filter(isSelected).map(({name}) => name);
  if (selected.length !== 1) {
    throw new MeshError('USAGE', `${by} is for exactly one cluster, this run is about ${String(selected.length)}`, {
      hints: ['name one cluster', 'contexts of several clusters go into mesh.yaml or contexts.yaml'],
    });
  }
  const other = clusters.find((cluster) => !isSelected(cluster) && cluster.context === value);
  if (!other) return;
  const what = `${by} ${value} is the context of cluster ${other.name}, this run is about ${selected.join('')}`;
  throw new MeshError('CONTRADICTION', what, {
    hints: ['one cluster has one name: take another context, or name that cluster'],
  });
}

/**
 * Each file alone was found free of doubles; together they may still send two clusters to one context. Throws
 * `CONTRADICTION`.
 */
export function checkContexts(clusters: readonly MeshFileCluster[]): void {
  const [double] = duplicates(clusters, ({context}) => context);
  if (!double) return;
  const {entry, value, first} = double;
  throw new MeshError(
    'CONTRADICTION',
    `clusters ${first.name} and ${entry.name} have one context, ${value}: ${layout.contextsYaml} and ${layout.meshYaml} together say so`,
    {hints: [`look at both files: ${layout.contextsYaml} goes before ${layout.meshYaml}`]},
  );
}

function resolveIstio(declared: NonNullable<MeshFile['istio']>, said: Overrides): MeshIstio {
  return defined<MeshIstio>({
    ...declared,
    version: declaredOrOverride('istio.version', declared.version, said.istioVersion),
    namespace: declaredOrOverride('istio.namespace', declared.namespace, said.istioNamespace) ?? defaults.namespace,
    profile: declared.profile ?? defaults.profile,
  });
}

function resolveTrust(declared: NonNullable<MeshFile['trust']>, {namespace}: MeshIstio, said: Overrides): MeshTrust {
  const {rootValidity, clusterValidity, keepClusterKeys = true, rotationReady = true, expiry = {}} = declared;
  const rootValidityDays = rootValidity === undefined ? defaults.rootValidityDays : parseDays(rootValidity);
  const signer = resolveSigner(declared.signer, said.signer ?? {});
  return defined<MeshTrust>({
    keyAlgorithm:
      declaredOrOverride('trust.keyAlgorithm', declared.keyAlgorithm, said.keyAlgorithm) ?? defaults.keyAlgorithm,
    rootValidityDays,
    // The default gives way to a short root: a cluster CA never outlives it.
    clusterValidityDays:
      clusterValidity === undefined
        ? Math.min(defaults.clusterValidityDays, rootValidityDays)
        : parseDays(clusterValidity),
    // A root in a cluster lies in Istio's namespace where nothing else is said.
    signer: signer.type === 'cluster' ? {namespace, ...signer} : signer,
    keepClusterKeys,
    rotationReady,
    rotationDeclared: declared.rotationReady === true ? true : undefined,
    expiry: {warn: threshold(expiry.warn) ?? defaults.warn, error: threshold(expiry.error) ?? defaults.error},
  });
}

function threshold(pair: readonly [string, string] | undefined): ExpiryThreshold | undefined {
  return pair && {share: parsePercent(pair[0]), days: parseDays(pair[1])};
}

/** What is declared, or else what was said. Throws `CONTRADICTION` when they differ. */
export function declaredOrOverride<T extends string>(
  field: string,
  declared: T | undefined,
  said: Override<T> | undefined,
): T | undefined {
  if (declared === undefined || said === undefined || declared === said.value) return declared ?? said?.value;
  const what = `${said.source} says ${said.value}, ${layout.meshYaml} declares ${field}: ${declared}`;
  throw new MeshError('CONTRADICTION', what, {hints: [`leave ${said.source} away, or change ${layout.meshYaml}`]});
}

/** The mesh ID and the cluster's network, which Istio needs. Throws `MISSING_VALUE`, which names all that is missing. */
export function requireIstioNames(
  {meshID}: Mesh,
  {name, network}: MeshCluster,
): {readonly meshID: string; readonly network: string} {
  if (meshID !== undefined && network !== undefined) return {meshID, network};
  const missing = [
    {value: meshID, what: 'the mesh has no mesh ID', flag: ['--mesh-id', 'mesh1'], field: 'meshID'},
    {
      value: network,
      what: `cluster ${name} has no network`,
      flag: ['--network', 'network1'],
      field: `network of ${name}`,
    },
  ].filter(({value}) => value === undefined);
  const list = (one: 'what' | 'field'): string => missing.map((each) => each[one]).join(' and ');
  const flags = missing.flatMap(({flag}) => flag);
  throw new MeshError('MISSING_VALUE', list('what'), {
    hints: [
      advice`say it, in the guide's words: ${kubectlMesh('install render', [name, ...flags])}`,
      `or write it into mesh.yaml: ${list('field')}`,
    ],
  });
}

/** The cluster's kubeconfig context: the current context is never used. Throws `NO_CONTEXT`. */
export function requireContext(cluster: MeshCluster): string {
  if (cluster.context !== undefined) return cluster.context;
  throw new MeshError('NO_CONTEXT', `no kubeconfig context is known for cluster ${cluster.name}`, {
    hints: [
      advice`record one: ${kubectlMesh('init', words`${cluster.name}=CONTEXT`)}`,
      'or say it with --context CONTEXT',
      advice`${inspectWith.kubectl('any', words`config get-contexts`)} lists what your kubeconfig has`,
    ],
  });
}

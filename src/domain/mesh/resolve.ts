/**
 * Resolves mesh.yaml, contexts.yaml, flags and environment variables to one {@link Mesh} and the clusters that a command
 * operates on (docs/mesh-yaml.md). Pure.
 *
 * Precedence of the context: `--context`, contexts.yaml, mesh.yaml. All other values: a flag or variable sets what mesh.yaml
 * does not declare, and must not contradict it.
 */
import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import {nearest} from '../nearest.js';
import {advice, kubectlMesh, inspectWith, words} from '../suggest/suggestion.js';
import {parseDays, parsePercent} from './duration.js';
import {layout} from './layout.js';
import type {Mesh, MeshCluster, MeshDiscovery, MeshIstio, MeshTrust} from './mesh.js';
import type {ExpiryThreshold} from '../x509/expiry.js';
import type {KeyAlgorithm} from '../keys/keys.js';
import {defaultTrafficImage} from './traffic-image.js';
import {
  dnsLabelPattern,
  dnsLabelRule,
  istioNamePattern,
  istioNameRule,
  labelValuePattern,
  labelValueRule,
  parseClusterName,
} from './names.js';
import {duplicates} from './rules.js';
import type {ContextsFile, MeshFile, MeshFileCluster} from './schema.js';
import {resolveSigner, type SignerOverride} from './signer.js';

/** A value and its source for messages: `--mesh-id`, `NETWORK_1`. */
export interface Override<T extends string = string> {
  readonly value: T;
  readonly source: string;
}

/** Values from flags and variables. Absent: not set; these flags have no defaults. */
export interface Overrides {
  /** Requires exactly one selected cluster; may differ from the declared context. */
  readonly context?: Override;
  readonly meshID?: Override;
  /** Applies to each selected cluster. */
  readonly network?: Override;
  readonly istioNamespace?: Override;
  readonly istioVersion?: Override;
  readonly keyAlgorithm?: Override<KeyAlgorithm>;
  readonly signer?: SignerOverride;
}

/** The sources of the mesh's configuration. */
export interface MeshSources {
  /** Undefined if there is no mesh.yaml. */
  readonly file: MeshFile | undefined;
  readonly contexts: ContextsFile;
  /** Clusters given on the command line; empty means all. */
  readonly names: readonly string[];
  /** Whether named clusters that mesh.yaml does not contain are added to the mesh instead of rejected. */
  readonly addClusters?: boolean | undefined;
  readonly overrides: Overrides;
}

/** Istio's defaults (istio/istio manifests/profiles/default.yaml) and those of docs/mesh-yaml.md. */
export const defaults = {
  trustDomain: 'cluster.local',
  namespace: 'istio-system',
  profile: 'default',
  keyAlgorithm: 'rsa-4096',
  rootValidityDays: 3650,
  clusterValidityDays: 730,
  token: 'bound',
  tokenLifetimeDays: 90,
  gateway: 'istio',
  warn: {share: 0.3, days: 30, capDays: 180},
  error: {share: 0.1, days: 7, capDays: 60},
} as const;

/**
 * Returns the mesh and the selected clusters. Throws `INVALID_CLUSTER_NAME`, `UNKNOWN_CLUSTER`, `MESH_YAML_MISSING` (no
 * mesh.yaml and no cluster given), `CONTRADICTION`, `USAGE` (`--context` with several clusters).
 */
export function resolveMesh({file, contexts, overrides, addClusters, ...sources}: MeshSources): {
  readonly mesh: Mesh;
  readonly selected: readonly MeshCluster[];
} {
  const names = [...new Set(sources.names.map(parseClusterName))];
  if (!file && names.length === 0) throw noMeshGiven();
  const declared = file?.clusters ?? [];
  const missing = names.filter((name) => !declared.some((cluster) => cluster.name === name));
  const all = !file || addClusters ? [...declared, ...missing.map((name) => ({name}))] : declared;
  checkNames(names, all);
  checkFormats(overrides);
  const known = withContexts(all, contexts);
  const isSelected = ({name}: MeshFileCluster): boolean => names.length === 0 || names.includes(name);
  if (overrides.context) checkContext(overrides.context, known, isSelected);
  checkContexts(known);
  const clusters = known.map((cluster): MeshCluster => {
    const {name, role = 'primary', context, network} = cluster;
    if (!isSelected(cluster)) return {...cluster, role};
    return defined<MeshCluster>({
      ...cluster,
      role,
      context: overrides.context?.value ?? context,
      network: reconcile(`network of ${name}`, network, overrides.network),
    });
  });
  const istio = resolveIstio(file?.istio ?? {}, overrides);
  const mesh = defined<Mesh>({
    meshID: reconcile('meshID', file?.meshID, overrides.meshID),
    trustDomain: file?.trustDomain ?? defaults.trustDomain,
    istio,
    trust: resolveTrust(file?.trust ?? {}, istio, overrides),
    discovery: resolveDiscovery(file?.discovery ?? {}),
    topology: {gateway: file?.topology?.gateway ?? defaults.gateway},
    verify: {image: file?.verify?.image ?? defaultTrafficImage},
    access: file?.access,
    clusters,
  });
  // In the order of the command line if clusters are given, otherwise in the order of mesh.yaml.
  const selected = names.flatMap((name) => clusters.filter((cluster) => cluster.name === name));
  return {mesh, selected: names.length === 0 ? clusters : selected};
}

function noMeshGiven(): MeshError {
  return new MeshError('MESH_YAML_MISSING', `${layout.meshYaml} not found, and no cluster is given`, {
    hints: [
      advice`create it with: ${kubectlMesh('init', words`NAME=CONTEXT`)}`,
      'or specify a cluster, or another work directory with --work-dir or WORK_DIR',
    ],
  });
}

function checkNames(names: readonly string[], clusters: readonly MeshFileCluster[]): void {
  const known = clusters.map(({name}) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) {
    if (known.length > 0) return;
    throw new MeshError('MISSING_VALUE', `${layout.meshYaml} declares no clusters`, {
      hints: [advice`add one with: ${kubectlMesh('init', words`NAME=CONTEXT`)}`],
    });
  }
  const similar = nearest(unknown, known);
  const question = similar === undefined ? '' : `; did you mean "${similar}"?`;
  const declared =
    known.length === 0 ? `${layout.meshYaml} declares no clusters` : `declared clusters: ${known.join(', ')}`;
  throw new MeshError('UNKNOWN_CLUSTER', `cluster "${unknown}" is not in ${layout.meshYaml}${question}`, {
    // If the name is probably misspelled, adding it is the last option.
    hints:
      similar === undefined
        ? [advice`add it with: ${kubectlMesh('init', [unknown])}`, declared]
        : [declared, advice`to add a new cluster: ${kubectlMesh('init', [unknown])}`],
  });
}

/** The formats of overrides, which are those of mesh.yaml, where the values may be recorded. */
const formats = {
  meshID: {pattern: labelValuePattern, rule: labelValueRule},
  network: {pattern: labelValuePattern, rule: labelValueRule},
  istioNamespace: {pattern: dnsLabelPattern, rule: dnsLabelRule},
  istioName: {pattern: istioNamePattern, rule: istioNameRule},
};

/** Checks that overrides have the format that mesh.yaml requires. Throws `USAGE`. */
export function checkFormats(overrides: {readonly [Field in keyof typeof formats]?: Override | undefined}): void {
  for (const field of ['meshID', 'network', 'istioNamespace', 'istioName'] as const) {
    const override = overrides[field];
    if (!override || formats[field].pattern.test(override.value)) continue;
    const {source, value} = override;
    throw new MeshError('USAGE', `invalid ${source} ${JSON.stringify(value)}: must be ${formats[field].rule}`);
  }
}

/** Returns the clusters with this user's contexts. */
export function withContexts(clusters: readonly MeshFileCluster[], contexts: ContextsFile): readonly MeshFileCluster[] {
  return clusters.map((cluster) =>
    defined<MeshFileCluster>({...cluster, context: contexts[cluster.name] ?? cluster.context}),
  );
}

function checkContext(
  {value, source}: Override,
  clusters: readonly MeshFileCluster[],
  isSelected: (cluster: MeshFileCluster) => boolean,
): void {
  const selected = clusters.filter(isSelected).map(({name}) => name);
  if (selected.length !== 1) {
    throw new MeshError('USAGE', `${source} requires exactly one cluster; selected: ${String(selected.length)}`, {
      hints: ['specify one cluster', 'set the contexts of several clusters in mesh.yaml or contexts.yaml'],
    });
  }
  const other = clusters.find((cluster) => !isSelected(cluster) && cluster.context === value);
  if (!other) return;
  const what = `${source} ${value} is the context of cluster ${other.name}, not of ${selected.join('')}`;
  throw new MeshError('CONTRADICTION', what, {
    hints: [`use another context, or run the command for cluster ${other.name}`],
  });
}

/**
 * Checks that no two clusters have the same context: each file is valid, but both files together may assign a context twice.
 * Throws `CONTRADICTION`.
 */
export function checkContexts(clusters: readonly MeshFileCluster[]): void {
  const [duplicate] = duplicates(clusters, ({context}) => context);
  if (!duplicate) return;
  const {entry, value, first} = duplicate;
  throw new MeshError(
    'CONTRADICTION',
    `clusters ${first.name} and ${entry.name} have the same context ${value} in ${layout.contextsYaml} and ${layout.meshYaml}`,
    {hints: [`check both files: ${layout.contextsYaml} takes precedence over ${layout.meshYaml}`]},
  );
}

function resolveIstio(declared: NonNullable<MeshFile['istio']>, overrides: Overrides): MeshIstio {
  return defined<MeshIstio>({
    ...declared,
    version: reconcile('istio.version', declared.version, overrides.istioVersion),
    namespace: reconcile('istio.namespace', declared.namespace, overrides.istioNamespace) ?? defaults.namespace,
    profile: declared.profile ?? defaults.profile,
  });
}

function resolveTrust(declared: NonNullable<MeshFile['trust']>, {namespace}: MeshIstio, flags: Overrides): MeshTrust {
  const {rootValidity, clusterValidity, keepClusterKeys = true, rotationReady = true, expiry = {}} = declared;
  const rootValidityDays = rootValidity === undefined ? defaults.rootValidityDays : parseDays(rootValidity);
  const signer = resolveSigner(declared.signer, flags.signer ?? {});
  return defined<MeshTrust>({
    keyAlgorithm: reconcile('trust.keyAlgorithm', declared.keyAlgorithm, flags.keyAlgorithm) ?? defaults.keyAlgorithm,
    rootValidityDays,
    // The default is limited by the root's validity: a cluster CA never outlives its root.
    clusterValidityDays:
      clusterValidity === undefined
        ? Math.min(defaults.clusterValidityDays, rootValidityDays)
        : parseDays(clusterValidity),
    // By default, a root in a cluster is in Istio's namespace.
    signer: signer.type === 'cluster' ? {namespace, ...signer} : signer,
    keepClusterKeys,
    rotationReady,
    rotationDeclared: declared.rotationReady === true ? true : undefined,
    expiry: {warn: threshold(expiry.warn) ?? defaults.warn, error: threshold(expiry.error) ?? defaults.error},
  });
}

function resolveDiscovery({token, tokenLifetime}: NonNullable<MeshFile['discovery']>): MeshDiscovery {
  return {
    token: token ?? defaults.token,
    tokenLifetimeDays: tokenLifetime === undefined ? defaults.tokenLifetimeDays : parseDays(tokenLifetime),
  };
}

function threshold(values: NonNullable<NonNullable<MeshFile['trust']>['expiry']>['warn']): ExpiryThreshold | undefined {
  if (!values) return undefined;
  const [share, days, cap] = values;
  return defined({
    share: parsePercent(share),
    days: parseDays(days),
    capDays: cap === undefined ? undefined : parseDays(cap),
  });
}

/** Returns the declared value, otherwise the override. Throws `CONTRADICTION` if they differ. */
export function reconcile<T extends string>(
  field: string,
  declared: T | undefined,
  override: Override<T> | undefined,
): T | undefined {
  const {source, value} = override ?? {};
  if (declared === undefined || value === undefined || declared === value) return declared ?? value;
  const what = `${source ?? ''} "${value}" contradicts ${field} "${declared}" in ${layout.meshYaml}`;
  throw new MeshError('CONTRADICTION', what, {hints: [`omit ${source ?? ''}, or change ${layout.meshYaml}`]});
}

/** Returns the mesh ID and the cluster's network, which Istio requires. Throws `MISSING_VALUE` with all missing values. */
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
  const list = (key: 'what' | 'field'): string => missing.map((value) => value[key]).join(' and ');
  const flags = missing.flatMap(({flag}) => flag);
  throw new MeshError('MISSING_VALUE', list('what'), {
    hints: [
      advice`set it as in Istio's guide: ${kubectlMesh('install render', [name, ...flags])}`,
      `or declare ${list('field')} in mesh.yaml`,
    ],
  });
}

/** Returns the cluster's kubeconfig context. The current context is never used. Throws `NO_CONTEXT`. */
export function requireContext(cluster: MeshCluster): string {
  if (cluster.context !== undefined) return cluster.context;
  throw new MeshError('NO_CONTEXT', `cluster ${JSON.stringify(cluster.name)} has no kubeconfig context`, {
    hints: [
      advice`record one with: ${kubectlMesh('init', words`${cluster.name}=CONTEXT`)}`,
      'or, for a single cluster, use --context CONTEXT',
      advice`list the contexts in your kubeconfig with: ${inspectWith.kubectl('any', words`config get-contexts`)}`,
    ],
  });
}

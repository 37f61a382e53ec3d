/**
 * Records values in mesh.yaml, contexts.yaml and .gitignore, so that later commands do not need them as flags. Only given
 * values are written, and declared values are never replaced (except for a UID, see below). Pure.
 */
import {defined} from '../defined.js';
import {valueAt} from '../tree.js';
import {
  addClusters,
  addGitignore,
  type NewCluster,
  newMeshFile,
  setClusterField,
  setContext,
  setMeshField,
} from './edit.js';
import {layout} from './layout.js';
import {parseContextsFile, parseMeshFile} from './parse.js';
import {checkContexts, withContexts} from './resolve.js';
import type {ContextsFile, MeshFile} from './schema.js';
import type {DeclaredSigner} from './signer-schema.js';

/** The content of the files; undefined for a file that does not exist. */
export interface DeclarationTexts {
  readonly mesh: string | undefined;
  readonly contexts: string | undefined;
  readonly gitignore: string | undefined;
}

/** The paths of the fields of mesh.yaml outside `clusters` that a command can set. */
const fieldPaths = {
  meshID: 'meshID',
  trustDomain: 'trustDomain',
  istioNamespace: 'istio.namespace',
  istioVersion: 'istio.version',
  revisions: 'istio.revisions',
  keyAlgorithm: 'trust.keyAlgorithm',
  signer: 'trust.signer',
} as const;

type ByCluster = Readonly<Record<string, string>>;

/** The values to record. */
export interface Declaration extends Partial<
  Readonly<Record<Exclude<keyof typeof fieldPaths, 'revisions' | 'signer'>, string>>
> {
  /** Clusters to declare. */
  readonly clusters?: readonly string[];
  /** Running control plane revisions. */
  readonly revisions?: readonly string[];
  readonly signer?: DeclaredSigner;
  /** By cluster. Recorded if neither file has a context. */
  readonly contexts?: ByCluster;
  /**
   * By cluster: this user's own contexts. Recorded in mesh.yaml if neither file has a context, otherwise in contexts.yaml:
   * values that others declared are kept.
   */
  readonly ownContexts?: ByCluster;
  /** By cluster: Istio's name. Recorded if it differs from the cluster's name, and mesh.yaml has none. */
  readonly istioNames?: ByCluster;
  /** By cluster. Recorded if mesh.yaml has no network. */
  readonly networks?: ByCluster;
  /** Whether the patterns are added to .gitignore even if mesh.yaml already exists. */
  readonly gitignore?: boolean;
  /** By cluster. Replaces a different UID: the caller must have confirmation. */
  readonly uids?: ByCluster;
}

/** The files to write, with a summary of the changes. */
export interface DeclarationFiles {
  readonly files: readonly {readonly path: string; readonly content: string}[];
  readonly summary: readonly string[];
  /** The content of all three files after the write. */
  readonly after: DeclarationTexts;
}

/** Parses mesh.yaml and contexts.yaml. A missing contexts.yaml is an empty map. */
export function readTexts({mesh, contexts}: Partial<DeclarationTexts>): {
  readonly file: MeshFile | undefined;
  readonly contexts: ContextsFile;
} {
  return {
    file: mesh === undefined ? undefined : parseMeshFile(mesh),
    contexts: contexts === undefined ? {} : parseContextsFile(contexts),
  };
}

/**
 * Returns the files that change when the values are recorded. Throws `MESH_YAML_INVALID` if mesh.yaml is invalid, and
 * `CONTRADICTION` if both files together assign one context to two clusters, which every other command rejects.
 */
export function declareMesh(texts: DeclarationTexts, declaration: Declaration): DeclarationFiles {
  const {clusters = [], contexts = {}, ownContexts = {}, networks = {}, uids = {}} = declaration;
  const istioNames = withoutOwnNames(declaration.istioNames ?? {});
  const {file, contexts: own} = readTexts(texts);
  const summary = file ? [] : [`created ${layout.meshYaml} and ${layout.gitignore}`];
  let {mesh = newMeshFile(), contexts: ownText} = texts;
  for (const field of Object.keys(fieldPaths) as (keyof typeof fieldPaths)[]) {
    const path = fieldPaths[field];
    const value = declaration[field];
    if (value === undefined || valueAt(file, path.split('.')) !== undefined) continue;
    mesh = setMeshField(mesh, path, value);
    summary.push(`${layout.meshYaml}: set ${path} to ${describeValue(value)}`);
  }
  const known = new Map<string, NewCluster>((file?.clusters ?? []).map((cluster) => [cluster.name, cluster]));
  const added = [...new Set(clusters)].flatMap((name) => {
    if (known.has(name)) return [];
    const context = own[name] === undefined ? (contexts[name] ?? ownContexts[name]) : undefined;
    return [
      defined<NewCluster>({name, istioName: istioNames[name], context, network: networks[name], uid: uids[name]}),
    ];
  });
  mesh = addClusters(mesh, added);
  for (const cluster of added) known.set(cluster.name, cluster);
  summary.push(...added.map(({name}) => `${layout.meshYaml}: added ${name}`));

  /** Sets a field of the declared clusters for which `needed` returns true. */
  const setField = (
    field: 'istioName' | 'context' | 'network' | 'uid',
    values: ByCluster,
    needed: (cluster: NewCluster, value: string) => boolean,
  ): void => {
    const set = Object.entries(values).filter(([name, value]) => {
      const cluster = known.get(name);
      return cluster !== undefined && needed(cluster, value);
    });
    if (set.length > 0) mesh = setClusterField(mesh, field, Object.fromEntries(set));
    for (const [name, value] of set) known.set(name, {...known.get(name), name, [field]: value});
    summary.push(...set.map(([name, value]) => `${layout.meshYaml}: set ${field} of cluster ${name} to ${value}`));
  };
  const hasNoContext = ({name, context}: NewCluster): boolean => context === undefined && own[name] === undefined;
  setField('context', contexts, hasNoContext);
  for (const [name, context] of Object.entries(ownContexts)) {
    const shared = known.get(name)?.context;
    const current = own[name] ?? shared;
    if (current === undefined || current === context) continue;
    ownText = setContext(ownText, name, context);
    const overridden = shared === undefined ? '' : `, which overrides ${shared} in ${layout.meshYaml}`;
    summary.push(`${layout.contextsYaml}: set your context of cluster ${name} to ${context}${overridden}`);
  }
  setField('context', ownContexts, hasNoContext);
  setField('istioName', istioNames, ({istioName}) => istioName === undefined);
  setField('network', networks, ({network}) => network === undefined);
  setField('uid', uids, (cluster, uid) => cluster.uid !== uid);

  // Users with a mesh.yaml have already decided about .gitignore, unless they request it or keys are about to be written.
  const gitignore = !file || declaration.gitignore === true ? addGitignore(texts.gitignore) : texts.gitignore;
  if (file && gitignore !== texts.gitignore) summary.push(`${layout.gitignore}: excluded private keys`);
  const after: DeclarationTexts = {mesh, contexts: ownText, gitignore};
  // Validates the result: an invalid file, or one that violates a rule across fields or files, must not be written.
  const written = readTexts(after);
  checkContexts(withContexts(written.file?.clusters ?? [], written.contexts));
  const files = [
    {path: layout.meshYaml, before: texts.mesh, content: mesh},
    {path: layout.gitignore, before: texts.gitignore, content: gitignore},
    {path: layout.contextsYaml, before: texts.contexts, content: ownText},
  ].flatMap(({path, before, content}) => (content === undefined || content === before ? [] : [{path, content}]));
  return {files, summary: files.length === 0 ? [] : summary, after};
}

/** The names that are not the cluster's own, which is the default. */
function withoutOwnNames(istioNames: ByCluster): ByCluster {
  return Object.fromEntries(Object.entries(istioNames).filter(([name, istioName]) => istioName !== name));
}

function describeValue(value: string | readonly string[] | DeclaredSigner): string {
  if (typeof value === 'string') return value;
  return 'type' in value ? value.type : value.join(', ');
}

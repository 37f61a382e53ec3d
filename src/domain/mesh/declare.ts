/**
 * What is to be written into mesh.yaml, contexts.yaml and .gitignore so that the next command knows what this one was
 * told. It writes only what was said, and never over something declared (a recorded UID excepted, see below). Pure.
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

/** The declaring files as they are; undefined where there is none. */
export interface DeclaringTexts {
  readonly mesh: string | undefined;
  readonly contexts: string | undefined;
  readonly gitignore: string | undefined;
}

/** What mesh.yaml declares outside `clusters` and a command may be told, by the field's path. */
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

/** What was said and is to be known from now on. */
export interface Declaration extends Partial<
  Readonly<Record<Exclude<keyof typeof fieldPaths, 'revisions' | 'signer'>, string>>
> {
  /** Clusters that must be declared. */
  readonly clusters?: readonly string[];
  /** Control planes that run. */
  readonly revisions?: readonly string[];
  readonly signer?: DeclaredSigner;
  /** By cluster. Recorded where neither file has a context. */
  readonly contexts?: ByCluster;
  /**
   * By cluster: this person's own contexts. Recorded in mesh.yaml where neither file has a context, else in
   * contexts.yaml: what others declared stays theirs.
   */
  readonly ownContexts?: ByCluster;
  /** By cluster. Recorded where mesh.yaml has none. */
  readonly networks?: ByCluster;
  /** Whether .gitignore gets its patterns beside a mesh.yaml that is there already, too. */
  readonly gitignore?: boolean;
  /** By cluster. Replaces another UID: the caller has had that agreed to. */
  readonly uids?: ByCluster;
}

/** Files to write, and what that means in words, one line each. */
export interface DeclaredFiles {
  readonly files: readonly {readonly path: string; readonly content: string}[];
  readonly summary: readonly string[];
  /** All three, once these are written. */
  readonly after: DeclaringTexts;
}

/** What mesh.yaml and contexts.yaml say; no mesh.yaml says nothing, and no contexts.yaml maps nothing. */
export function readTexts({mesh, contexts}: Partial<DeclaringTexts>): {
  readonly file: MeshFile | undefined;
  readonly contexts: ContextsFile;
} {
  return {
    file: mesh === undefined ? undefined : parseMeshFile(mesh),
    contexts: contexts === undefined ? {} : parseContextsFile(contexts),
  };
}

/**
 * The files that differ once the declaration is written down. Throws `MESH_YAML_INVALID` when what is there is not valid,
 * and `CONTRADICTION` when the two files together send two clusters to one context: no other command could work with them.
 */
export function declareMesh(texts: DeclaringTexts, declaration: Declaration): DeclaredFiles {
  const {clusters = [], contexts = {}, ownContexts = {}, networks = {}, uids = {}} = declaration;
  const {file, contexts: own} = readTexts(texts);
  const summary = file ? [] : [`made ${layout.meshYaml} and ${layout.gitignore}`];
  let {mesh = newMeshFile(), contexts: ownText} = texts;
  for (const field of Object.keys(fieldPaths) as (keyof typeof fieldPaths)[]) {
    const path = fieldPaths[field];
    const value = declaration[field];
    if (value === undefined || valueAt(file, path.split('.')) !== undefined) continue;
    mesh = setMeshField(mesh, path, value);
    summary.push(`${layout.meshYaml}: ${path} ${describeValue(value)}`);
  }
  const known = new Map<string, NewCluster>((file?.clusters ?? []).map((cluster) => [cluster.name, cluster]));
  const added = [...new Set(clusters)].flatMap((name) => {
    if (known.has(name)) return [];
    const context = own[name] === undefined ? (contexts[name] ?? ownContexts[name]) : undefined;
    return [defined<NewCluster>({name, context, network: networks[name], uid: uids[name]})];
  });
  mesh = addClusters(mesh, added);
  for (const cluster of added) known.set(cluster.name, cluster);
  summary.push(...added.map(({name}) => `${layout.meshYaml}: added ${name}`));

  /** Sets a field of the declared clusters for which `needed` says so. */
  const setField = (
    field: 'context' | 'network' | 'uid',
    values: ByCluster,
    needed: (cluster: NewCluster, value: string) => boolean,
  ): void => {
    const set = Object.entries(values).filter(([name, value]) => {
      const cluster = known.get(name);
      return cluster !== undefined && needed(cluster, value);
    });
    if (set.length > 0) mesh = setClusterField(mesh, field, Object.fromEntries(set));
    for (const [name, value] of set) known.set(name, {...known.get(name), name, [field]: value});
    summary.push(...set.map(([name, value]) => `${layout.meshYaml}: ${field} of ${name} is ${value}`));
  };
  const hasNoContext = ({name, context}: NewCluster): boolean => context === undefined && own[name] === undefined;
  setField('context', contexts, hasNoContext);
  for (const [name, context] of Object.entries(ownContexts)) {
    const shared = known.get(name)?.context;
    const mine = own[name] ?? shared;
    if (mine === undefined || mine === context) continue;
    ownText = setContext(ownText, name, context);
    const before = shared === undefined ? '' : `, before ${shared}, which ${layout.meshYaml} keeps`;
    summary.push(`${layout.contextsYaml}: ${name} is ${context} for you${before}`);
  }
  setField('context', ownContexts, hasNoContext);
  setField('network', networks, ({network}) => network === undefined);
  setField('uid', uids, (cluster, uid) => cluster.uid !== uid);

  // A person who has a mesh.yaml has decided about .gitignore already, unless they ask again or keys are to come.
  const gitignore = !file || declaration.gitignore === true ? addGitignore(texts.gitignore) : texts.gitignore;
  if (file && gitignore !== texts.gitignore) summary.push(`${layout.gitignore}: private keys stay out of git`);
  const after: DeclaringTexts = {mesh, contexts: ownText, gitignore};
  // An edit that breaks a file, or a rule across fields or files, must not reach the disk.
  const written = readTexts(after);
  checkContexts(withContexts(written.file?.clusters ?? [], written.contexts));
  const files = [
    {path: layout.meshYaml, before: texts.mesh, content: mesh},
    {path: layout.gitignore, before: texts.gitignore, content: gitignore},
    {path: layout.contextsYaml, before: texts.contexts, content: ownText},
  ].flatMap(({path, before, content}) => (content === undefined || content === before ? [] : [{path, content}]));
  return {files, summary: files.length === 0 ? [] : summary, after};
}

function describeValue(value: string | readonly string[] | DeclaredSigner): string {
  if (typeof value === 'string') return value;
  return 'type' in value ? value.type : value.join(', ');
}

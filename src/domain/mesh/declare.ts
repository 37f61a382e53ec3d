/**
 * What is to be written into mesh.yaml, contexts.yaml and .gitignore so that the next command knows what this one was
 * told. It writes only what was said, and never over something declared (a recorded UID excepted, see below). Pure.
 */
import {defined} from '../defined.js';
import {at} from '../tree.js';
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
  readonly contexts?: Readonly<Record<string, string>>;
  /**
   * By cluster: this person's own contexts. Recorded in mesh.yaml where neither file has a context, else in
   * contexts.yaml: what others declared stays theirs.
   */
  readonly ownContexts?: Readonly<Record<string, string>>;
  /** By cluster. Recorded where mesh.yaml has none. */
  readonly networks?: Readonly<Record<string, string>>;
  /** Whether .gitignore gets its patterns beside a mesh.yaml that is there already, too. */
  readonly gitignore?: boolean;
  /** By cluster. Replaces another UID: the caller has had that agreed to. */
  readonly uids?: Readonly<Record<string, string>>;
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
  const draft = new Draft(texts);
  draft.apply(declaration);
  const after: DeclaringTexts = {
    mesh: draft.mesh,
    contexts: draft.contexts,
    // A person who has a mesh.yaml has decided about .gitignore already, unless they ask again or keys are to come.
    gitignore:
      texts.mesh === undefined || declaration.gitignore === true ? addGitignore(texts.gitignore) : texts.gitignore,
  };
  // An edit that breaks a file, or a rule across fields or files, must not reach the disk.
  const {file, contexts} = readTexts(after);
  checkContexts(withContexts(file?.clusters ?? [], contexts));
  if (texts.mesh !== undefined && after.gitignore !== texts.gitignore) {
    draft.summary.push(`${layout.gitignore}: private keys stay out of git`);
  }
  const files = [
    {path: layout.meshYaml, before: texts.mesh, content: after.mesh},
    {path: layout.gitignore, before: texts.gitignore, content: after.gitignore},
    {path: layout.contextsYaml, before: texts.contexts, content: after.contexts},
  ].flatMap(({path, before, content}) => (content === undefined || content === before ? [] : [{path, content}]));
  return {files, summary: files.length === 0 ? [] : draft.summary, after};
}

/** The files while they are edited. */
class Draft {
  readonly summary: string[] = [];
  mesh: string;
  contexts: string | undefined;
  /** What {@link mesh} says, as it was when last asked: reading a file of hundreds of clusters takes its time. */
  #read: {readonly text: string; readonly file: MeshFile} | undefined;

  constructor(texts: DeclaringTexts) {
    this.mesh = texts.mesh ?? newMeshFile();
    this.contexts = texts.contexts;
    if (texts.mesh === undefined) this.summary.push(`made ${layout.meshYaml} and ${layout.gitignore}`);
  }

  apply(declaration: Declaration): void {
    for (const key of Object.keys(fieldPaths) as (keyof typeof fieldPaths)[]) {
      this.#setField(fieldPaths[key], declaration[key]);
    }
    this.#addClusters(declaration);
    this.#setContexts(declaration.contexts ?? {}, false);
    this.#setContexts(declaration.ownContexts ?? {}, true);
    this.#setClusterField('network', declaration.networks ?? {}, ({network}) => network === undefined);
    this.#setClusterField('uid', declaration.uids ?? {}, (cluster, uid) => cluster.uid !== uid);
  }

  #setField(path: string, value: string | readonly string[] | DeclaredSigner | undefined): void {
    if (value === undefined || at(this.#file, path.split('.')) !== undefined) return;
    this.mesh = setMeshField(this.mesh, path, value);
    const words = typeof value === 'string' ? value : 'type' in value ? value.type : value.join(', ');
    this.summary.push(`${layout.meshYaml}: ${path} ${words}`);
  }

  #addClusters({clusters = [], contexts, ownContexts, networks, uids}: Declaration): void {
    const added = [...new Set(clusters)].filter((name) => !this.#declared(name));
    this.mesh = addClusters(
      this.mesh,
      added.map((name): NewCluster => {
        const context = this.#ownContext(name) === undefined ? (contexts?.[name] ?? ownContexts?.[name]) : undefined;
        return defined<NewCluster>({name, context, network: networks?.[name], uid: uids?.[name]});
      }),
    );
    this.summary.push(...added.map((name) => `${layout.meshYaml}: cluster ${name}`));
  }

  #setContexts(contexts: Readonly<Record<string, string>>, own: boolean): void {
    const declared: Record<string, string> = {};
    for (const [name, context] of Object.entries(contexts)) {
      const shared = this.#declared(name)?.context;
      const mine = this.#ownContext(name);
      if ((mine ?? shared) === context) continue;
      if (mine === undefined && shared === undefined) {
        declared[name] = context;
      } else if (own) {
        this.contexts = setContext(this.contexts, name, context);
        const before = shared === undefined ? '' : `, before ${shared}, which ${layout.meshYaml} keeps`;
        this.summary.push(`${layout.contextsYaml}: ${name} is ${context} for you${before}`);
      }
    }
    this.#setClusterField('context', declared, () => true);
  }

  /** Sets a field of the declared clusters for which `needed` says so. */
  #setClusterField(
    field: 'context' | 'network' | 'uid',
    values: Readonly<Record<string, string>>,
    needed: (cluster: NonNullable<MeshFile['clusters']>[number], value: string) => boolean,
  ): void {
    const set = Object.entries(values).filter(([name, value]) => {
      const cluster = this.#declared(name);
      return cluster !== undefined && needed(cluster, value);
    });
    if (set.length === 0) return;
    this.mesh = setClusterField(this.mesh, field, Object.fromEntries(set));
    this.summary.push(...set.map(([name, value]) => `${layout.meshYaml}: ${field} of ${name} is ${value}`));
  }

  get #file(): MeshFile {
    if (this.#read?.text !== this.mesh) this.#read = {text: this.mesh, file: parseMeshFile(this.mesh)};
    return this.#read.file;
  }

  #declared(name: string) {
    return this.#file.clusters?.find((cluster) => cluster.name === name);
  }

  #ownContext(name: string): string | undefined {
    return this.contexts === undefined ? undefined : parseContextsFile(this.contexts)[name];
  }
}

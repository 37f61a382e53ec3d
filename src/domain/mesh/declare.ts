/**
 * What is to be written into mesh.yaml, contexts.yaml and .gitignore so that the next command knows what this one was
 * told. It writes only what was said, and never over something declared (a recorded UID excepted, see below). Pure.
 */
import type {MeshField, NewCluster} from './edit.js';
import {addCluster, addGitignore, newMeshFile, setClusterField, setContext, setMeshField} from './edit.js';
import {layout} from './layout.js';
import {parseContextsFile, parseMeshFile} from './parse.js';

/** The declaring files as they are; undefined where there is none. */
export interface DeclaringTexts {
  readonly mesh: string | undefined;
  readonly contexts: string | undefined;
  readonly gitignore: string | undefined;
}

/** What was said and is to be known from now on. */
export interface Declaration {
  /** Clusters that must be declared. */
  readonly clusters?: readonly string[];
  readonly meshID?: string;
  readonly istioNamespace?: string;
  readonly istioVersion?: string;
  readonly keyAlgorithm?: string;
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
}

/** The files that differ once the declaration is written down. Throws `MESH_YAML_INVALID` when what is there is not valid. */
export function declareMesh(texts: DeclaringTexts, declaration: Declaration): DeclaredFiles {
  const draft = new Draft(texts);
  draft.apply(declaration);
  const after: DeclaringTexts = {
    mesh: draft.mesh,
    contexts: draft.contexts,
    // A person who has a mesh.yaml has decided about .gitignore already, unless they ask again.
    gitignore:
      texts.mesh === undefined || declaration.gitignore === true ? addGitignore(texts.gitignore) : texts.gitignore,
  };
  // An edit that breaks a file, or a rule across fields, must not reach the disk.
  if (after.mesh !== undefined) parseMeshFile(after.mesh);
  if (texts.mesh !== undefined && after.gitignore !== texts.gitignore) {
    draft.summary.push(`${layout.gitignore}: private keys stay out of git`);
  }
  const files = [
    {path: layout.meshYaml, before: texts.mesh, content: after.mesh},
    {path: layout.gitignore, before: texts.gitignore, content: after.gitignore},
    {path: layout.contextsYaml, before: texts.contexts, content: after.contexts},
  ].flatMap(({path, before, content}) => (content === undefined || content === before ? [] : [{path, content}]));
  return {files, summary: files.length === 0 ? [] : draft.summary};
}

/** The files while they are edited. */
class Draft {
  readonly summary: string[] = [];
  mesh: string;
  contexts: string | undefined;

  constructor(texts: DeclaringTexts) {
    this.mesh = texts.mesh ?? newMeshFile({clusters: []});
    this.contexts = texts.contexts;
    if (texts.mesh === undefined) this.summary.push(`made ${layout.meshYaml} and ${layout.gitignore}`);
  }

  apply(declaration: Declaration): void {
    this.#setField('meshID', declaration.meshID);
    this.#setField('istio.namespace', declaration.istioNamespace);
    this.#setField('istio.version', declaration.istioVersion);
    this.#setField('trust.keyAlgorithm', declaration.keyAlgorithm);
    for (const name of declaration.clusters ?? []) this.#addCluster(name, declaration);
    for (const [name, context] of Object.entries(declaration.contexts ?? {})) this.#setContext(name, context, false);
    for (const [name, context] of Object.entries(declaration.ownContexts ?? {})) this.#setContext(name, context, true);
    for (const [name, network] of Object.entries(declaration.networks ?? {})) {
      if (this.#declared(name)?.network === undefined) this.#setClusterField(name, 'network', network);
    }
    for (const [name, uid] of Object.entries(declaration.uids ?? {})) {
      if (this.#declared(name)?.uid !== uid) this.#setClusterField(name, 'uid', uid);
    }
  }

  #setField(field: MeshField, value: string | undefined): void {
    if (value === undefined || this.#fieldValue(field) !== undefined) return;
    this.mesh = setMeshField(this.mesh, field, value);
    this.summary.push(`${layout.meshYaml}: ${field} ${value}`);
  }

  #fieldValue(field: MeshField): string | undefined {
    const {meshID, istio, trust} = parseMeshFile(this.mesh);
    switch (field) {
      case 'meshID':
        return meshID;
      case 'istio.namespace':
        return istio?.namespace;
      case 'istio.version':
        return istio?.version;
      case 'trust.keyAlgorithm':
        return trust?.keyAlgorithm;
    }
  }

  #addCluster(name: string, {contexts, ownContexts, networks, uids}: Declaration): void {
    if (this.#declared(name)) return;
    const context = this.#ownContext(name) === undefined ? (contexts?.[name] ?? ownContexts?.[name]) : undefined;
    const network = networks?.[name];
    const uid = uids?.[name];
    const cluster: NewCluster = {
      name,
      ...(context === undefined ? {} : {context}),
      ...(network === undefined ? {} : {network}),
      ...(uid === undefined ? {} : {uid}),
    };
    this.mesh = addCluster(this.mesh, cluster);
    this.summary.push(`${layout.meshYaml}: cluster ${name}`);
  }

  #setContext(name: string, context: string, own: boolean): void {
    const declared = this.#declared(name)?.context;
    const mine = this.#ownContext(name);
    if ((mine ?? declared) === context) return;
    if (mine === undefined && declared === undefined) {
      this.#setClusterField(name, 'context', context);
    } else if (own) {
      this.contexts = setContext(this.contexts, name, context);
      this.summary.push(`${layout.contextsYaml}: ${name} is ${context} for you`);
    }
  }

  #setClusterField(name: string, field: 'context' | 'network' | 'uid', value: string): void {
    if (!this.#declared(name)) return;
    this.mesh = setClusterField(this.mesh, name, field, value);
    this.summary.push(`${layout.meshYaml}: ${field} of ${name} is ${value}`);
  }

  #declared(name: string) {
    return parseMeshFile(this.mesh).clusters?.find((cluster) => cluster.name === name);
  }

  #ownContext(name: string): string | undefined {
    return this.contexts === undefined ? undefined : parseContextsFile(this.contexts)[name];
  }
}

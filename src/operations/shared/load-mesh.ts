/** Where every operation starts: the mesh as declared and as said for this run, and the clusters the run is about. */
import {defined} from '../../domain/defined.js';
import {asMeshError} from '../../domain/errors.js';
import {
  declareMesh,
  type Declaration,
  type DeclarationFiles,
  type DeclarationTexts,
  readTexts,
} from '../../domain/mesh/declare.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {checkMeshFile} from '../../domain/mesh/parse.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import {resolveMesh, type Override, type Overrides} from '../../domain/mesh/resolve.js';
import type {Deps} from '../../engine/deps.js';
import {type Group, groupOf} from '../../engine/operation.js';

/** What a command line says about the mesh. Undefined is not said: these flags have no defaults. */
export interface MeshRequest {
  /** Named clusters; none means every cluster of mesh.yaml. */
  readonly clusters: readonly string[];
  /** `--context`: one cluster only. */
  readonly context?: string | undefined;
  /** `--mesh-id` */
  readonly meshId?: string | undefined;
  /** `--network`, for each selected cluster. */
  readonly network?: string | undefined;
  /** `--istio-namespace` */
  readonly istioNamespace?: string | undefined;
  /** `--istio-version` */
  readonly istioVersion?: string | undefined;
  /** `--key-algorithm` */
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  /** `--signer` */
  readonly signer?: DeclaredSigner | undefined;
  /** `--root-dir` */
  readonly rootDirectory?: string | undefined;
}

/** The mesh of this run. Plain data: it may be part of a phase's facts. */
export interface LoadedMesh {
  readonly mesh: Mesh;
  /** What the run is about: as named, or all in the order of mesh.yaml. Never empty. */
  readonly clusters: readonly MeshCluster[];
  /** Whether there is a mesh.yaml yet. */
  readonly declared: boolean;
  /** Worth a person's attention; for the plan's warnings. */
  readonly notes: readonly string[];
  readonly texts: DeclarationTexts;
  /**
   * What a changing command writes before anything else: mesh.yaml and .gitignore where there is none, and what was
   * said where mesh.yaml is silent. {@link declareGroups} makes the plan's first group of it.
   */
  readonly declaration: Declaration;
}

/** The declaring files as they are. Throws `WORKDIR_UNREADABLE`. */
export async function readDeclaringTexts(workspace: Deps['workspace']): Promise<DeclarationTexts> {
  const [mesh, contexts, gitignore] = await Promise.all(
    [layout.meshYaml, layout.contextsYaml, layout.gitignore].map((path) => workspace.readText(path)),
  );
  return {mesh, contexts, gitignore};
}

/**
 * Reads mesh.yaml and contexts.yaml and resolves them with the request. Throws `MESH_YAML_INVALID`,
 * `CONTEXTS_YAML_INVALID`, `MESH_YAML_MISSING`, `INVALID_CLUSTER_NAME`, `UNKNOWN_CLUSTER`, `CONTRADICTION`, `USAGE`,
 * `WORKDIR_UNREADABLE`.
 */
export async function loadMesh({workspace}: Pick<Deps, 'workspace'>, request: MeshRequest): Promise<LoadedMesh> {
  const texts = await readDeclaringTexts(workspace);
  const {file, contexts} = readTexts(texts);
  const resolved = resolveMesh({file, contexts, names: request.clusters, overrides: overridesOf(request)});
  const known = new Set(resolved.mesh.clusters.map(({name}) => name));
  const unknown = file ? Object.keys(contexts).filter((name) => !known.has(name)) : [];
  return {
    mesh: resolved.mesh,
    clusters: resolved.selected,
    declared: file !== undefined,
    notes: unknown.map((name) => `${layout.contextsYaml} names ${name}, which is no cluster of ${layout.meshYaml}`),
    texts,
    declaration: declarationOf(request, resolved.selected),
  };
}

/** The same, with no cluster where mesh.yaml or contexts.yaml cannot be used: for commands of which that is a finding. */
export async function loadMeshOrEmpty(
  deps: Pick<Deps, 'workspace'>,
  request: MeshRequest,
): Promise<Pick<LoadedMesh, 'mesh' | 'clusters'>> {
  try {
    return await loadMesh(deps, request);
  } catch (thrown) {
    const {code} = asMeshError(thrown);
    const text = await deps.workspace.readText(layout.meshYaml);
    // One that fits its schema and cannot be used all the same (it declares no cluster) ends this command like any other.
    const isFinding = code === 'MESH_YAML_INVALID' && text !== undefined && 'problems' in checkMeshFile(text);
    if (!isFinding && code !== 'CONTEXTS_YAML_INVALID') throw thrown;
    const {mesh} = resolveMesh({file: undefined, contexts: {}, names: ['unknown'], overrides: {}});
    return {mesh: {...mesh, clusters: []}, clusters: []};
  }
}

/**
 * The mesh of a run that writes these private keys: with a .gitignore where the work directory has none. One that exists is
 * what a person decided, and stays.
 */
export function ignoreKeys(loaded: LoadedMesh, keys: readonly string[]): LoadedMesh {
  if (keys.length === 0 || loaded.texts.gitignore !== undefined) return loaded;
  return {...loaded, declaration: {...loaded.declaration, gitignore: true}};
}

/** Whether the run writes a .gitignore. */
export function writesGitignore({texts, declaration}: LoadedMesh): boolean {
  return declareMesh(texts, declaration).files.some(({path}) => path === layout.gitignore);
}

/**
 * The group with which a changing command's plan begins; empty when mesh.yaml says it all already. `also` is what the
 * command itself learned: UIDs at first contact, the network it rendered.
 */
export function declareGroups(loaded: LoadedMesh, also: Declaration = {}): readonly Group[] {
  return declaredFilesGroups(declareMesh(loaded.texts, mergeDeclarations(loaded.declaration, also)));
}

/** Changes named in one line: a mesh of hundreds of clusters would fill the screen. */
const shownChanges = 4;

/** The group that writes declaring files; none when nothing differs. */
export function declaredFilesGroups({files, summary}: DeclarationFiles, shown = shownChanges): readonly Group[] {
  if (files.length === 0) return [];
  const more = summary.length - shown;
  const title = [...summary.slice(0, shown), ...(more > 0 ? [`${String(more)} more`] : [])].join('; ');
  return groupOf([{kind: 'write-files', id: 'declare', title, files}], 'always-stop', 'work directory');
}

function mergeDeclarations(first: Declaration, second: Declaration): Declaration {
  return {
    ...first,
    ...second,
    clusters: [...(first.clusters ?? []), ...(second.clusters ?? [])],
    contexts: {...first.contexts, ...second.contexts},
    networks: {...first.networks, ...second.networks},
    uids: {...first.uids, ...second.uids},
  };
}

function overridesOf(request: MeshRequest): Overrides {
  const {signer, rootDirectory} = request;
  return defined({
    context: override(request.context, '--context'),
    meshID: override(request.meshId, '--mesh-id'),
    network: override(request.network, '--network'),
    istioNamespace: override(request.istioNamespace, '--istio-namespace'),
    istioVersion: override(request.istioVersion, '--istio-version'),
    keyAlgorithm: override(request.keyAlgorithm, '--key-algorithm'),
    signer: {signer, rootDirectory},
  });
}

function override<T extends string>(value: T | undefined, source: string): Override<T> | undefined {
  return value === undefined ? undefined : {value, source};
}

function declarationOf(request: MeshRequest, clusters: readonly MeshCluster[]): Declaration {
  const {context, meshId, network, istioNamespace, istioVersion, keyAlgorithm, signer} = request;
  const names = clusters.map(({name}) => name);
  const forEach = (value: string | undefined): Record<string, string> | undefined =>
    value === undefined ? undefined : Object.fromEntries(names.map((name) => [name, value]));
  return defined({
    clusters: names,
    meshID: meshId,
    istioNamespace,
    istioVersion,
    keyAlgorithm,
    signer,
    contexts: forEach(context),
    networks: forEach(network),
  });
}

/** The first step of every operation: resolves the mesh from mesh.yaml and flags, and selects the clusters. */
import {dirname, join} from 'node:path';
import {defined} from '../../domain/defined.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {
  declareMesh,
  type Declaration,
  type DeclarationFiles,
  type DeclarationTexts,
  readTexts,
} from '../../domain/mesh/declare.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {misspelled} from '../../domain/nearest.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {checkMeshFile} from '../../domain/mesh/parse.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import {resolveMesh, type Override, type Overrides} from '../../domain/mesh/resolve.js';
import type {Deps} from '../../engine/deps.js';
import {type Group, groupOf} from '../../engine/operation.js';

/** The flags about the mesh. Undefined means not given: these flags have no defaults. */
export interface MeshRequest {
  /** The clusters named as arguments; none means all clusters in mesh.yaml. */
  readonly clusters: readonly string[];
  /** Add named clusters that mesh.yaml does not contain, as Istio's Makefile creates a CA for any name. */
  readonly addClusters?: boolean | undefined;
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
  /** The selected clusters: as named, or all in the order of mesh.yaml. Never empty. */
  readonly clusters: readonly MeshCluster[];
  /** Whether mesh.yaml exists. */
  readonly declared: boolean;
  /** Added to the plan's warnings. */
  readonly notes: readonly string[];
  readonly texts: DeclarationTexts;
  /**
   * What a changing command writes first: mesh.yaml and .gitignore if they do not exist, and values from flags that
   * mesh.yaml does not set. {@link declareGroups} turns it into the plan's first group.
   */
  readonly declaration: Declaration;
}

/** Reads mesh.yaml, contexts.yaml and .gitignore. Throws `WORKDIR_UNREADABLE`. */
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
  if (texts.mesh === undefined && request.clusters.length === 0) throw await missingMesh(workspace);
  const {file, contexts} = readTexts(texts);
  const resolved = resolveMesh({
    file,
    contexts,
    names: request.clusters,
    addClusters: request.addClusters,
    overrides: overridesOf(request),
  });
  const known = new Set(resolved.mesh.clusters.map(({name}) => name));
  const unknown = file ? Object.keys(contexts).filter((name) => !known.has(name)) : [];
  return {
    mesh: resolved.mesh,
    clusters: resolved.selected,
    declared: file !== undefined,
    notes: [
      ...unknown.map((name) => `cluster "${name}" in ${layout.contextsYaml} is not in ${layout.meshYaml}`),
      ...misspelledNotes(file?.clusters ?? [], resolved.selected),
    ],
    texts,
    declaration: declarationOf(request, resolved.selected),
  };
}

/** Warnings about new clusters whose names are similar to those of declared clusters. */
function misspelledNotes(
  declared: readonly {readonly name: string}[],
  selected: readonly MeshCluster[],
): readonly string[] {
  const known = declared.map(({name}) => name);
  return selected.flatMap(({name}) => {
    const meant = known.includes(name) ? undefined : misspelled(name, known);
    return meant === undefined ? [] : [`cluster "${name}" is new, and its name is similar to "${meant}"`];
  });
}

/** The error for a work directory without mesh.yaml, if no cluster is given. */
async function missingMesh(workspace: Deps['workspace']): Promise<MeshError> {
  const {root} = workspace;
  const place = await workspace.statTarget('.');
  const another = 'specify another work directory with --work-dir or WORK_DIR';
  if (place && place.kind !== 'directory') {
    return new MeshError('MESH_YAML_MISSING', `work directory ${root} is not a directory`, {hints: [another]});
  }
  const parent = await parentMesh(workspace);
  return new MeshError(
    'MESH_YAML_MISSING',
    place
      ? `${layout.meshYaml} not found in ${root}, and no cluster is given`
      : `work directory ${root} does not exist`,
    {
      hints: [
        ...(parent === undefined ? [] : [`${parent} contains ${layout.meshYaml}: use --work-dir ${parent}`]),
        advice`create it with: ${kubectlMesh('init', words`NAME=CONTEXT`)}`,
        place ? `or specify a cluster, or another work directory with --work-dir or WORK_DIR` : `or ${another}`,
      ],
    },
  );
}

/** The nearest of two parent directories with mesh.yaml: the current directory may be a cluster's. */
async function parentMesh(workspace: Deps['workspace']): Promise<string | undefined> {
  const parent = dirname(workspace.root);
  for (const directory of [parent, dirname(parent)]) {
    const found = await workspace.readOutside(join(directory, layout.meshYaml)).catch(() => undefined);
    if (found) return directory;
  }
  return undefined;
}

/** Like {@link loadMesh}, but without clusters where mesh.yaml or contexts.yaml is invalid: that is then a finding. */
export async function loadMeshOrEmpty(
  deps: Pick<Deps, 'workspace'>,
  request: MeshRequest,
): Promise<Pick<LoadedMesh, 'mesh' | 'clusters'>> {
  try {
    return await loadMesh(deps, request);
  } catch (thrown) {
    const {code} = asMeshError(thrown);
    const text = await deps.workspace.readText(layout.meshYaml);
    // A file that is valid but unusable (it declares no cluster) is an error here as in any other command.
    const isFinding = code === 'MESH_YAML_INVALID' && text !== undefined && 'problems' in checkMeshFile(text);
    if (!isFinding && code !== 'CONTEXTS_YAML_INVALID') throw thrown;
    const {mesh} = resolveMesh({file: undefined, contexts: {}, names: ['unknown'], overrides: {}});
    return {mesh: {...mesh, clusters: []}, clusters: []};
  }
}

/**
 * The mesh for a run that writes these private keys: adds a .gitignore if the work directory has none. An existing
 * one is not changed: it is the user's decision.
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
 * The first group of a changing command's plan; empty when mesh.yaml is already up to date. `discovered`: values that
 * the command itself found, such as UIDs at first contact and the rendered network.
 */
export function declareGroups(loaded: LoadedMesh, discovered: Declaration = {}): readonly Group[] {
  return declaredFilesGroups(declareMesh(loaded.texts, mergeDeclarations(loaded.declaration, discovered)));
}

/** How many changes one line lists: a mesh of hundreds of clusters would fill the screen. */
const shownChanges = 4;

/** The group that writes mesh.yaml, contexts.yaml and .gitignore; none when nothing differs. */
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
  const forEachCluster = (value: string | undefined): Record<string, string> | undefined =>
    value === undefined ? undefined : Object.fromEntries(names.map((name) => [name, value]));
  return defined({
    clusters: names,
    meshID: meshId,
    istioNamespace,
    istioVersion,
    keyAlgorithm,
    signer,
    contexts: forEachCluster(context),
    networks: forEachCluster(network),
  });
}

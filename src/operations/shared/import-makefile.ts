/**
 * Imports a directory that Istio's Makefiles created. `init` and `certs generate` call {@link importMakefileDirectory}
 * to gather facts, and add {@link makefileImportGroups} and the `warnings` to their plan, before steps that need keys.
 * Files with istiod's names (1.6, 1.8 and later) are used unchanged, without a copy.
 */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {isClusterName} from '../../domain/mesh/names.js';
import {
  type DirectoryFiles,
  type FoundFile,
  type MakefileFacts,
  comparedFiles,
  hasTraces,
  makefileVariant,
  isMakefileLayout,
  makefileCopies,
  makefileFaults,
  skippedDirectories,
} from '../../domain/mesh/makefile.js';
import {advice} from '../../domain/suggest/suggestion.js';
import type {FileContent} from '../../workspace/workspace.js';
import type {Deps} from '../../engine/deps.js';
import {type Group, groupOf, type Warning} from '../../engine/operation.js';

/** What an import consists of. */
export interface MakefileImport {
  /** Clusters with a CA in this directory, sorted by name. */
  readonly clusters: readonly string[];
  /** Copies under istiod's file names; the originals are left in place. */
  readonly files: readonly FileContent[];
  /** A line for each copy. */
  readonly notes: readonly string[];
  /** Directories with a CA that are not used, and defects in what a Makefile generated. */
  readonly warnings: readonly Warning[];
}

/** Inspects the work directory. Reads keys only to copy them. Throws `FILE_MISSING` if a file is deleted meanwhile. */
export async function importMakefileDirectory({workspace}: Pick<Deps, 'workspace'>): Promise<MakefileImport> {
  const facts = await gatherMakefileFacts(workspace);
  const copies = makefileCopies(facts);
  const files = await Promise.all(
    copies.map(async ({from, to, secret}) => {
      const content = await (secret ? workspace.readSecret(from) : workspace.readText(from));
      if (content === undefined) throw new MeshError('FILE_MISSING', `${from} was deleted before it could be copied`);
      return {path: to, content};
    }),
  );
  return {
    clusters: [...facts.clusters.keys()],
    files,
    notes: copies.map(({from, to}) => `${to} is a copy of ${from}`),
    warnings: [
      ...skippedDirectories(facts, await workspace.list('.')).map((message) => ({message})),
      ...(isMakefileLayout(facts) ? makefileFaults(facts) : []).map(({cluster, message, hint}): Warning =>
        defined({cluster, message: advice`${message} (${hint})`}),
      ),
    ],
  };
}

/** The group that writes the copies; none when there is nothing to copy. */
export function makefileImportGroups({files, notes}: Pick<MakefileImport, 'files' | 'notes'>): readonly Group[] {
  if (files.length === 0) return [];
  const action = {kind: 'write-files', id: 'take-over', title: notes.join('; '), files} as const;
  return groupOf([action], 'always-stop', 'import');
}

async function gatherMakefileFacts(workspace: Deps['workspace']): Promise<MakefileFacts> {
  const root = await readDirectory(workspace, '.');
  const found = new Map<string, DirectoryFiles>();
  // Only a directory with a root is searched further: the work directory may be any directory.
  await findCas(workspace, '.', root.has(layout.rootCert) || hasTraces(root) ? maxDepth : 1, found);
  const ofPaths = (isWanted: (path: string) => boolean) => new Map([...found].filter(([path]) => isWanted(path)));
  return {root, clusters: ofPaths(isClusterName), skipped: ofPaths((path) => !isClusterName(path))};
}

/** How deep directories are searched: `team/a` is 2. */
const maxDepth = 3;

/** Adds the directories with a CA below a directory, by path. Those in a directory with a CA belong to its cluster. */
async function findCas(
  workspace: Deps['workspace'],
  directory: string,
  depth: number,
  found: Map<string, DirectoryFiles>,
): Promise<void> {
  for (const name of await workspace.list(directory)) {
    const path = directory === '.' ? name : `${directory}/${name}`;
    if (name.startsWith('.') || (await workspace.stat(path))?.kind !== 'directory') continue;
    const files = await readDirectory(workspace, path);
    if (makefileVariant(files) !== undefined) found.set(path, files);
    else if (depth > 1) await findCas(workspace, path, depth - 1, found);
  }
}

async function readDirectory(workspace: Deps['workspace'], directory: string): Promise<DirectoryFiles> {
  const found = new Map<string, FoundFile>();
  for (const name of await workspace.list(directory)) {
    // The work directory may contain unrelated files: only the types that the Makefiles generate are read.
    if (!/\.(?:pem|srl|csr|conf)$/.test(name)) continue;
    const path = directory === '.' ? name : `${directory}/${name}`;
    const facts = await workspace.stat(path);
    if (facts?.kind !== 'file') continue;
    const text = comparedFiles.includes(name) ? await workspace.readText(path) : undefined;
    found.set(name, defined({size: facts.size, mode: facts.mode, text}));
  }
  return found;
}

/**
 * Imports a directory that Istio's Makefiles created. `init` and `certs generate` call {@link importMakefileDirectory}
 * to gather facts, and add {@link makefileImportGroups} and the `warnings` to their plan, before steps that need keys.
 * Files with istiod's names (1.6, 1.8 and later) are used unchanged, without a copy.
 */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {isClusterName} from '../../domain/mesh/names.js';
import {
  type FoundFile,
  type MakefileFacts,
  comparedFiles,
  makefileVariant,
  isMakefileLayout,
  makefileCopies,
  makefileFaults,
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
  /** Defects in what the Makefile generated. Empty for a directory that no Makefile created. */
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
    warnings: isMakefileLayout(facts)
      ? makefileFaults(facts).map(({cluster, message, hint}): Warning =>
          defined({cluster, message: advice`${message} (${hint})`}),
        )
      : [],
  };
}

/** The group that writes the copies; none when there is nothing to copy. */
export function makefileImportGroups({files, notes}: Pick<MakefileImport, 'files' | 'notes'>): readonly Group[] {
  if (files.length === 0) return [];
  const action = {kind: 'write-files', id: 'import', title: notes.join('; '), files} as const;
  return groupOf([action], 'always-stop', 'import');
}

async function gatherMakefileFacts(workspace: Deps['workspace']): Promise<MakefileFacts> {
  const clusters = new Map<string, ReadonlyMap<string, FoundFile>>();
  for (const name of await workspace.list('.')) {
    if (!isClusterName(name) || (await workspace.stat(name))?.kind !== 'directory') continue;
    const files = await readDirectory(workspace, name);
    if (makefileVariant(files) !== undefined) clusters.set(name, files);
  }
  return {root: await readDirectory(workspace, '.'), clusters};
}

async function readDirectory(workspace: Deps['workspace'], directory: string): Promise<ReadonlyMap<string, FoundFile>> {
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

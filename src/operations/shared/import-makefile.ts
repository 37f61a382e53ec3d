/**
 * Takes a directory over that Istio's Makefiles made. `init` and `certs generate` call {@link importMakefileDirectory} while they
 * gather, and put {@link makefileImportGroups} into their plan before any key is looked for, and `warnings` beside it. Files with istiod's names (1.6, 1.8 and later) are used byte for byte and need no copy.
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

/** What taking a directory over means. */
export interface MakefileImport {
  /** Clusters whose CA stands here, in the order of their names. */
  readonly clusters: readonly string[];
  /** Copies under istiod's names; the originals stay. */
  readonly files: readonly FileContent[];
  /** The copies in words, one line each. */
  readonly notes: readonly string[];
  /** What the Makefile got wrong. Empty when no Makefile was at work. */
  readonly warnings: readonly Warning[];
}

/** Looks at the work directory. Reads keys only to copy them. Throws `FILE_MISSING` for a file that vanishes meanwhile. */
export async function importMakefileDirectory({workspace}: Pick<Deps, 'workspace'>): Promise<MakefileImport> {
  const facts = await gatherMakefileFacts(workspace);
  const copies = makefileCopies(facts);
  const files = await Promise.all(
    copies.map(async ({from, to, secret}) => {
      const content = await (secret ? workspace.readSecret(from) : workspace.readText(from));
      if (content === undefined) throw new MeshError('FILE_MISSING', `${from} was deleted while it was to be copied`);
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

/** The group that makes the copies; none when there is nothing to copy. */
export function makefileImportGroups({files, notes}: Pick<MakefileImport, 'files' | 'notes'>): readonly Group[] {
  if (files.length === 0) return [];
  const action = {kind: 'write-files', id: 'take-over', title: notes.join('; '), files} as const;
  return groupOf([action], 'always-stop', 'take-over');
}

async function gatherMakefileFacts(workspace: Deps['workspace']): Promise<MakefileFacts> {
  const clusters = new Map<string, ReadonlyMap<string, FoundFile>>();
  for (const name of await workspace.list('.')) {
    if (!isClusterName(name) || (await workspace.stat(name))?.kind !== 'directory') continue;
    const folder = await gatherFolder(workspace, name);
    if (makefileVariant(folder) !== undefined) clusters.set(name, folder);
  }
  return {root: await gatherFolder(workspace, '.'), clusters};
}

async function gatherFolder(workspace: Deps['workspace'], folder: string): Promise<ReadonlyMap<string, FoundFile>> {
  const found = new Map<string, FoundFile>();
  for (const name of await workspace.list(folder)) {
    // The work directory may be a folder with other things in it: only what the Makefiles make is looked at.
    if (!/\.(?:pem|srl|csr|conf)$/.test(name)) continue;
    const path = folder === '.' ? name : `${folder}/${name}`;
    const facts = await workspace.stat(path);
    if (facts?.kind !== 'file') continue;
    const text = comparedFiles.includes(name) ? await workspace.readText(path) : undefined;
    found.set(name, defined({size: facts.size, mode: facts.mode, text}));
  }
  return found;
}

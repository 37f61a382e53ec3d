/** Before a signer runs a program or contacts a server that mesh.yaml names: the user must have confirmed it. */
import {createHash} from 'node:crypto';
import {basename, dirname, isAbsolute, resolve} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import {type FileHashes, pathsOfUse, type SignerUse, useOf} from '../domain/mesh/signer-use.js';
import type {Workspace} from '../workspace/workspace.js';
import type {SignerContext} from './signer-module.js';

/** Hashes of uses that a script confirms, separated by commas or spaces. */
export const trustVariable = 'KUBECTL_MESH_TRUST';

/**
 * Requires that the user confirmed what the signer runs or contacts: by typing it (`--signer`, `VAULT_ADDR`), in an earlier
 * run, by `--trust-mesh-yaml`, in {@link trustVariable}, or now on a terminal. `--yes` is no such confirmation. Throws
 * `MESH_YAML_NOT_TRUSTED`, `CONTRADICTION`, and what reading the files throws.
 */
export async function requireConfirmed(spec: SignerSpec, context: SignerContext): Promise<void> {
  const {workspace, environment, confirmation} = context;
  const {root: directory} = workspace;
  const files = await hashFiles(pathsOfUse(spec), workspace);
  const use = useOf(spec, {directory, environment, files});
  if (!use) return;
  const {typed, all, confirmed, terminal} = confirmation;
  if (
    (environment[trustVariable] ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .includes(use.hash)
  )
    return;
  if (await confirmed.has(use.hash)) return;
  const isTyped = isDeepStrictEqual(typed, spec);
  if (!isTyped && !all) {
    await prompt(use, terminal);
    // A person may take minutes to read the prompt.
    if (!isDeepStrictEqual(await hashFiles(pathsOfUse(spec), workspace), files)) throw changedError(use);
  }
  const problem = await confirmed.add(use.hash, use.name, context.now());
  // A later run without the flag prompts again, which needs no warning if the user typed everything in this one.
  if (problem !== undefined && !isTyped)
    confirmation.warn(`the confirmation of the ${use.name} is not remembered: ${problem}`);
}

async function prompt(use: SignerUse, terminal: SignerContext['confirmation']['terminal']): Promise<void> {
  const source = `trust.signer of ${layout.meshYaml}`;
  if (!terminal.interactive) {
    throw new MeshError('MESH_YAML_NOT_TRUSTED', `not confirmed: ${use.name} (${source})`, {
      hints: [
        use.lines.join('; '),
        `review it, then confirm it on a terminal or with --trust-mesh-yaml; --yes does not include it`,
        `in scripts, set ${trustVariable}=${use.hash}`,
      ],
    });
  }
  const shown = [
    `${source} names a ${use.name}, which you have not used before:`,
    ...use.lines.map((line) => `  ${line}`),
  ];
  if (await terminal.confirm(`${shown.join('\n')}\nUse it now and in later runs?`)) return;
  throw new MeshError('MESH_YAML_NOT_TRUSTED', `not confirmed: ${use.name} (${source})`, {
    hints: ['nothing was run or contacted'],
  });
}

function changedError({name}: SignerUse): MeshError {
  return new MeshError('MESH_YAML_NOT_TRUSTED', `the files of the ${name} changed while the prompt was shown`, {
    hints: ['nothing was run or contacted; review the files and run the command again'],
  });
}

/**
 * The hashes of the paths that are regular files in the work directory; an argument that only looks like a path is none. A file
 * beside mesh.yaml changes as easily as mesh.yaml. Absolute paths to other places are the machine's own, and are updated
 * with it.
 */
async function hashFiles(paths: readonly string[], workspace: Workspace): Promise<FileHashes> {
  const hashes = await Promise.all(
    paths.map(async (path): Promise<readonly (readonly [string, string])[]> => {
      const absolute = resolve(workspace.root, path);
      const facts = await workspace
        .directory(dirname(absolute))
        .statTarget(basename(absolute))
        .catch(() => undefined);
      if (facts?.kind !== 'file' || (isAbsolute(path) && !(await workspace.isBelow(path)))) return [];
      const content = await workspace.readOutside(absolute);
      return [[path, createHash('sha256').update(content.reveal()).digest('hex')]];
    }),
  );
  return new Map(hashes.flat());
}

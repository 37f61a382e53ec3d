/** Checks whether git would commit private keys that are about to be written. */
import {MeshError, reportError} from '../../domain/errors.js';
import {printableLine} from '../../domain/printable.js';
import {advice, fixWith, words} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import type {Blocker, Warning} from '../../engine/operation.js';
import type {Workspace} from '../../workspace/workspace.js';

/** Which private keys git would commit. */
export interface GitExposure {
  /** Keys that are tracked already, or not ignored. */
  readonly exposed: readonly string[];
  /** Why the check failed; undefined if it did not, or if there is no git repository. */
  readonly unknown: string | undefined;
}

/** Runs the check. `willIgnore`: this run writes a .gitignore, so only keys that are tracked already count. */
export async function checkGitExposure(
  {git}: Pick<Deps, 'git'>,
  store: Workspace,
  keys: readonly string[],
  willIgnore = false,
): Promise<GitExposure> {
  // A directory that does not exist yet contains no tracked files.
  if ((await store.stat('.')) === undefined && (await store.list('.')).length === 0) {
    return {exposed: [], unknown: undefined};
  }
  const answers = await git.isIgnored(store.root, keys);
  const unknown = [...answers.values()].find((ignored) => ignored.answer === 'unknown');
  return {
    exposed: keys.filter((key) => {
      const answer = answers.get(key)?.answer;
      return answer === 'tracked' || (answer === 'not-ignored' && !willIgnore);
    }),
    unknown: unknown?.why,
  };
}

/** The error for keys that git does not ignore: sooner or later they would be committed and pushed. */
export function keyInGitError(paths: readonly string[]): MeshError {
  return new MeshError('KEY_IN_GIT', `git does not ignore ${paths.join(', ')}: a commit would publish private keys`, {
    hints: [
      advice`add '*key.pem' to .gitignore; for a file that is tracked already: ${fixWith.run('git', words`rm --cached FILE`)}`,
    ],
  });
}

/** Blockers for private keys that git would commit. */
export function gitBlockers({exposed}: GitExposure): readonly Blocker[] {
  return exposed.length > 0 ? [{error: reportError(keyInGitError(exposed))}] : [];
}

/** Warns if the check failed: keys are still written, since there may be no repository, but not treated as ignored. */
export function gitWarnings({unknown}: GitExposure): readonly Warning[] {
  if (unknown === undefined) return [];
  return [{message: `cannot determine whether git ignores the keys: ${printableLine(unknown)}`}];
}

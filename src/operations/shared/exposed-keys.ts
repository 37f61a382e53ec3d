/** Asks git whether it would take keys that are about to be written. */
import {MeshError, reportError} from '../../domain/errors.js';
import {printableLine} from '../../domain/printable.js';
import {advice, fixWith, words} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import type {Blocker, Warning} from '../../engine/operation.js';
import type {Workspace} from '../../workspace/workspace.js';

/** What git says of keys. */
export interface GitExposure {
  /** Keys that git would take: tracked already, or not ignored. */
  readonly exposed: readonly string[];
  /** Why git would not say; undefined where it did, or where there is no git tree. */
  readonly unknown: string | undefined;
}

/** Asks. `willIgnore`: this run writes a .gitignore, so that only what is tracked already is seen. */
export async function askExposure(
  {git}: Pick<Deps, 'git'>,
  store: Workspace,
  keys: readonly string[],
  willIgnore = false,
): Promise<GitExposure> {
  // A directory that is still to be made holds nothing that git could track.
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

/** A key in a git tree that is not ignored will be pushed one day. */
export function keyInGit(paths: readonly string[]): MeshError {
  return new MeshError('KEY_IN_GIT', `git does not ignore ${paths.join(', ')}: the next commit would publish keys`, {
    hints: [
      advice`Add '*key.pem' to .gitignore; a file that is tracked already: ${fixWith.run('git', words`rm --cached FILE`)}`,
    ],
  });
}

/** What refuses to write keys that git would take. */
export function gitBlockers({exposed}: GitExposure): readonly Blocker[] {
  return exposed.length > 0 ? [{error: reportError(keyInGit(exposed))}] : [];
}

/** Unknown is no reason to refuse keys where there may be no git at all, but it is no "ignored" either. */
export function unknownToGit({unknown}: GitExposure): readonly Warning[] {
  if (unknown === undefined) return [];
  return [{message: `git would not say whether it ignores the keys: ${printableLine(unknown)}`}];
}

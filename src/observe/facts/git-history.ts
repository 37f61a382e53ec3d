/** Private keys in git's history, and the CAs they belong to. */
import {defined} from '../../domain/defined.js';
import type {GitHistoryFacts, KeyInHistory} from '../../domain/facts/facts.js';
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {embeddedKeys, isReadable} from '../../domain/keys/embedded-keys.js';
import type {Deps} from '../../engine/deps.js';
import {publicKeysIn} from './key-files.js';

/** Reads git's history and compares its keys with the current CAs. Throws if git cannot read the history. */
export async function readGitHistory(deps: Deps, clusters: readonly MeshCluster[]): Promise<GitHistoryFacts> {
  const {workspace, git} = deps;
  const history = await git.committedKeys(workspace.root);
  if (history.state === 'no-git') {
    if ((await workspace.stat('.git')) === undefined)
      return {absent: 'git is not installed, and the work directory has no .git'};
    throw new MeshError('TOOL_MISSING', "git is not installed: the work directory's history cannot be read");
  }
  if (history.state === 'no-repository') return {absent: 'the work directory is not in a git repository'};
  const owners = history.texts.length === 0 ? new Map<string, KeyOwner>() : await ownersOf(deps, clusters);
  const keys = history.texts.flatMap(({path, commit, text}) =>
    embeddedKeys(text)
      .filter(isReadable)
      .map(({spki, encryption}): KeyInHistory => {
        const owner = spki === undefined ? undefined : owners.get(spki);
        return defined({path, commit, protection: encryption ? 'encrypted' : 'clear', owner});
      }),
  );
  return {keys: keys.toSorted(bySeverity), more: history.more, shallow: history.shallow};
}

type KeyOwner = NonNullable<KeyInHistory['owner']>;

/** The public keys of the current CAs. */
async function ownersOf({workspace}: Deps, clusters: readonly MeshCluster[]): Promise<ReadonlyMap<string, KeyOwner>> {
  const keysOf = async (path: string, owner: KeyOwner): Promise<readonly [string, KeyOwner][]> =>
    (await publicKeysIn(workspace, path)).map((spki) => [spki, owner]);
  const cas = await Promise.all(clusters.map(({name}) => keysOf(clusterLayout(name).caCert, {cluster: name})));
  return new Map([...cas.flat(), ...(await keysOf(layout.rootCert, 'root'))]);
}

/** Sorts the most severe first. */
function bySeverity(one: KeyInHistory, other: KeyInHistory): number {
  const rank = ({owner, protection}: KeyInHistory): number =>
    owner === 'root' ? 0 : owner !== undefined ? 1 : protection === 'clear' ? 2 : 3;
  return rank(one) - rank(other);
}

/** Private keys that git has kept, and whose they are. */
import {defined} from '../../domain/defined.js';
import type {GitHistoryFacts, KeyInHistory} from '../../domain/facts/facts.js';
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {findPrivateKeys} from '../../domain/keys/private-key.js';
import type {Deps} from '../../engine/deps.js';
import {publicKeysIn} from './key-files.js';

/** Asks git, and compares public keys with the CAs that are here now. Throws what keeps git from telling. */
export async function readGitHistory(deps: Deps, clusters: readonly MeshCluster[]): Promise<GitHistoryFacts> {
  const {workspace, git} = deps;
  const history = await git.committedKeys(workspace.root);
  if (history.state === 'no-git') {
    if ((await workspace.stat('.git')) === undefined)
      return {absent: 'git is not installed, and there is no .git here'};
    throw new MeshError('TOOL_MISSING', 'git is not installed: what it has kept of the work directory cannot be told');
  }
  if (history.state === 'no-repository') return {absent: 'the work directory is in no git repository'};
  const owners = history.texts.length === 0 ? new Map<string, KeyOwner>() : await ownersOf(deps, clusters);
  const keys = history.texts.flatMap(({path, commit, text}) =>
    findPrivateKeys(text, path).map(({spki, encryption}): KeyInHistory => {
      const owner = spki === undefined ? undefined : owners.get(spki);
      return defined({path, commit, protection: encryption ? 'encrypted' : 'clear', owner});
    }),
  );
  return {keys: keys.toSorted(bySeverity), more: history.more, shallow: history.shallow};
}

type KeyOwner = NonNullable<KeyInHistory['owner']>;

/** Public keys of the present CAs. */
async function ownersOf({workspace}: Deps, clusters: readonly MeshCluster[]): Promise<ReadonlyMap<string, KeyOwner>> {
  const keysOf = async (path: string, owner: KeyOwner): Promise<readonly [string, KeyOwner][]> =>
    (await publicKeysIn(workspace, path)).map((spki) => [spki, owner]);
  const cas = await Promise.all(clusters.map(({name}) => keysOf(clusterLayout(name).caCert, {cluster: name})));
  return new Map([...cas.flat(), ...(await keysOf(layout.rootCert, 'root'))]);
}

/** The worst first. */
function bySeverity(one: KeyInHistory, other: KeyInHistory): number {
  const weight = ({owner, protection}: KeyInHistory): number =>
    owner === 'root' ? 0 : owner !== undefined ? 1 : protection === 'clear' ? 2 : 3;
  return weight(one) - weight(other);
}

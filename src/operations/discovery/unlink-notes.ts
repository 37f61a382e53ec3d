/** What `unlink` cannot change, and what to do about it. */
import type {LastingToken} from '../../domain/discovery/decide-unlink.js';
import {renewalNames} from '../../domain/discovery/renewal-job.js';
import {formatDay} from '../../domain/format.js';
import {layout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {
  advice,
  edit,
  fixWith,
  type Hint,
  inspectWith,
  inWorkDir,
  kubectlMesh,
  words,
} from '../../domain/suggest/suggestion.js';
import type {UnlinkFacts, UnlinkPlan} from './plan-unlink.js';

/**
 * How long a revoked token still works: an API server caches a successful authentication for 10 seconds
 * (kubernetes/kubernetes pkg/kubeapiserver/options/authentication.go, TokenSuccessCacheTTL), and does not authenticate an open
 * watch again; istiod's watches end after 5 to 10 minutes (k8s.io/client-go tools/cache/reflector.go, minWatchTimeout).
 */
export const revocation =
  'new requests with a revoked token fail within about 10 seconds; a watch that is already open continues until its own timeout, up to 10 minutes';

/** Returns the notes for a plan, whether it was performed or not. */
export function unlinkNotes({loaded, scope, isDeclared}: UnlinkFacts, {decided}: UnlinkPlan): readonly Hint[] {
  const {target, namespace} = scope;
  const revokes = decided.some(({decision}) => decision && decision.readerSecrets.length > 0);
  const unread = decided.find(({cluster, seen}) => cluster.name === target.name && !seen);
  const lasting = decided.flatMap(({decision}) => decision?.lasting ?? []);
  const again = kubectlMesh('unlink', [target.name]);
  return [
    ...(revokes ? [revocation] : []),
    ...distinct(lasting).map((token) => lastingNote(token, loaded.mesh.clusters, namespace)),
    ...(unread
      ? [
          advice`${target.name} could not be read: its remote secrets, and the tokens that it accepts, remain; if it still exists: ${again}`,
        ]
      : []),
    ...(isDeclared
      ? [
          advice`${layout.meshYaml} still declares ${target.name}, so link and up link it again: ${edit(inWorkDir(layout.meshYaml))}`,
          `a CronJob of link --cron-manifest, if there is one, reports ${target.name} until its ConfigMap ${renewalNames.files} has the new ${layout.meshYaml}`,
        ]
      : []),
  ];
}

/** Readers often share a token. */
function distinct(tokens: readonly LastingToken[]): readonly LastingToken[] {
  return [...new Map(tokens.map((one) => [`${one.peer}/${one.tokenSecret ?? ''}`, one])).values()];
}

function lastingNote(
  {peer, tokenSecret, expiresAt}: LastingToken,
  clusters: readonly MeshCluster[],
  namespace: string,
): Hint {
  const cluster = clusters.find(({name}) => name === peer) ?? {};
  const until = expiresAt === undefined ? '' : ` until ${formatDay(expiresAt)}`;
  const what = `a token that another tool created stays valid in ${peer}${until}`;
  if (tokenSecret === undefined) {
    const list = inspectWith.kubectl(
      cluster,
      words`-n ${namespace} get secrets --field-selector type=kubernetes.io/service-account-token`,
    );
    return advice`${what}: find the Secret that contains it, and delete it: ${list}`;
  }
  const revoke = fixWith.kubectl(cluster, words`-n ${namespace} delete secret ${tokenSecret}`);
  return advice`${what}; deleting its Secret revokes it for every cluster that uses it, so link the others first: ${revoke}`;
}

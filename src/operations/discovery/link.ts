import {istioNameOf} from '../../domain/mesh/istio-name.js';
import {type DiscoveryPair, discoveryPairs} from '../../domain/discovery/pairs.js';
import {remoteSecretName} from '../../domain/discovery/names.js';
import {declaredTooShort} from '../../domain/discovery/short-token.js';
import {secretsInUse} from '../../domain/discovery/observation.js';
import {credentialFor} from '../../domain/discovery/remote-secret.js';
import type {TokenVerdict} from '../../domain/discovery/token.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import type {Sensitive} from '../../domain/sensitive.js';
import type {Deps} from '../../engine/deps.js';
import {onePhase} from '../../engine/operation.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {type DiscoveryState, readDiscovery, reviewTokens} from '../../observe/discovery-state.js';
import {type LinkFacts, type LinkRules, pairKey, unusableClusters} from './link-facts.js';
import {type LinkPlan, planLink} from './plan-link.js';
import {concludeLink, type LinkResult, reportLink} from './report-link.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';

/** `link [CLUSTER...]`. */
export interface LinkRequest extends MeshRequest, LinkRules {}

/** `link`: lets clusters read each other's services and endpoints through remote secrets with revocable tokens. */
export const linkClusters = onePhase<LinkRequest, LinkResult, LinkFacts, LinkPlan>({
  command: 'link',
  changes: true,
  title: () => 'read the clusters',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    const named = loaded.clusters.map(({name}) => name);
    const pairs = discoveryPairs(loaded.mesh.clusters, named);
    const tooShort = declaredTooShort(loaded.mesh.discovery);
    if (pairs.length > 0 && tooShort && !request.acceptShortTokens) throw tooShort;
    const states = await readStates(deps, loaded, pairs, concurrency);
    const unusable = unusableClusters(loaded, states, request);
    const usable = pairs.filter(({reader, peer}) => !unusable.has(reader.name) && !unusable.has(peer.name));
    const reviews = await reviewExisting(deps, loaded, usable, states, concurrency);
    return {loaded, pairs, states, named, reviews};
  },
  plan: planLink,
  report: reportLink,
  conclude: concludeLink,
});

/** Reads both clusters of every pair, each once. */
function readStates(
  deps: Deps,
  {mesh}: LoadedMesh,
  pairs: readonly DiscoveryPair[],
  concurrency: number,
): Promise<readonly DiscoveryState[]> {
  const involved = mesh.clusters.filter(({name}) =>
    pairs.some(({reader, peer}) => reader.name === name || peer.name === name),
  );
  return eachCluster(involved, concurrency, (cluster) =>
    readDiscovery(deps, mesh, {
      cluster,
      peers: pairs.flatMap(({reader, peer}) => (reader.name === cluster.name ? [peer] : [])),
      readers: pairs.flatMap(({reader, peer}) => (peer.name === cluster.name ? [reader] : [])),
    }),
  );
}

/** A token in a remote secret of a pair. */
interface ExistingToken {
  readonly pair: DiscoveryPair;
  readonly secret: string;
  readonly token: Sensitive<string>;
}

/** Has each peer's API server judge the tokens in the remote secrets for it. */
async function reviewExisting(
  deps: Deps,
  {mesh}: LoadedMesh,
  pairs: readonly DiscoveryPair[],
  states: readonly DiscoveryState[],
  concurrency: number,
): Promise<LinkFacts['reviews']> {
  const tokens = pairs.flatMap((pair) => existingTokens(pair, states, mesh.istio.namespace));
  const peers = mesh.clusters.filter(({name}) => tokens.some(({pair}) => pair.peer.name === name));
  const judged = await eachCluster(peers, concurrency, async (peer: MeshCluster) => {
    const own = tokens.filter(({pair}) => pair.peer.name === peer.name);
    const verdicts = await reviewTokens(
      deps,
      mesh,
      peer,
      own.map(({token}) => token),
    );
    return own.flatMap((one, index) => {
      const verdict = verdicts[index];
      return verdict ? [{...one, verdict}] : [];
    });
  });
  const reviews = new Map<string, Map<string, Observed<TokenVerdict>>>();
  for (const {pair, secret, verdict} of judged.flat()) {
    const key = pairKey(pair);
    reviews.set(key, (reviews.get(key) ?? new Map<string, Observed<TokenVerdict>>()).set(secret, verdict));
  }
  return reviews;
}

function existingTokens(
  pair: DiscoveryPair,
  states: readonly DiscoveryState[],
  namespace: string,
): readonly ExistingToken[] {
  const [reader, peer] = [pair.reader, pair.peer].map(({name}) => states.find(({cluster}) => cluster.name === name));
  if (!reader || !peer || !isKnown(reader.seen) || !isKnown(peer.seen)) return [];
  const {value: seen} = reader.seen;
  const inUse = secretsInUse(seen, namespace, istioNameOf(pair.peer));
  return [...new Set([remoteSecretName(pair.peer), ...inUse])].flatMap((secret): readonly ExistingToken[] => {
    const found = seen.remoteSecrets.get(secret);
    const stored = found && isKnown(found) ? found.value : undefined;
    const credential = stored && credentialFor(stored, pair.peer);
    const token = credential?.kubeconfig?.token;
    return token ? [{pair, secret, token}] : [];
  });
}

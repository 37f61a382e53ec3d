/** The lanes of `link`: what is written to a peer, and to a reader. Pure. */
import {defined} from '../../domain/defined.js';
import {readerSecretName} from '../../domain/discovery/names.js';
import type {DiscoveryPair} from '../../domain/discovery/pairs.js';
import {isTokenSecret, readerSecretObject} from '../../domain/discovery/reader-secret.js';
import {shortestLifetimeMs} from '../../domain/discovery/token.js';
import type {PairDecision} from '../../domain/discovery/decide-link.js';
import {plural, some} from '../../domain/format.js';
import {groupBy} from '../../domain/group-by.js';
import type {ObjectRef} from '../../domain/kube/object.js';
import {istioNameOf} from '../../domain/mesh/istio-name.js';
import {hasFeature} from '../../domain/istio/features.js';
import {isKnown} from '../../domain/observed.js';
import {dayMs} from '../../domain/time.js';
import type {Action, AwaitDiscovery, LinkPeers, PeerLink} from '../../engine/action.js';
import type {Lane} from '../../engine/operation.js';
import {restartTimeoutMs} from '../shared/restart.js';
import {type DecidedPair, type LinkFacts, type LinkRules, observed} from './link-facts.js';
import {proofTimeoutMs} from './proof-timeout.js';

/** Creates the reader Secrets that are missing, and those that have another type than the declared token needs. */
export function readerSecretLanes(ready: readonly DecidedPair[], facts: LinkFacts): readonly Lane[] {
  const {mesh} = facts.loaded;
  const {token} = mesh.discovery;
  const changing = ready.filter(({decision}) => decision && decision.kind !== 'unchanged');
  const lanes = [...groupBy(changing, ({pair}) => pair.peer.name).values()].map((pairs): Lane => {
    const {peer} = pairs[0].pair;
    const actions = pairs.flatMap(({pair: {reader}}): readonly Action[] => {
      const seen = observed(peer.name, facts.states);
      const before = seen?.readerSecrets.get(reader.name);
      const existing = before && isKnown(before) ? before.value : undefined;
      if (existing && isTokenSecret(existing) === (token === 'secret')) return [];
      const object = readerSecretObject(reader, mesh.istio.namespace, token);
      const what = `Secret ${mesh.istio.namespace}/${readerSecretName(reader)}`;
      const base = {id: `${peer.name}/reader-${reader.name}`, cluster: peer.name, context: seen?.context ?? '', object};
      if (!existing) return [{kind: 'put-object', ...base, title: `create ${what}`}];
      const {uid, resourceVersion} = existing.metadata;
      return [
        {
          kind: 'replace-object',
          ...base,
          title: `delete and create ${what}, whose type cannot be changed`,
          confirm: `delete ${what}: the current token of ${reader.name} ends before the new one is in place`,
          preconditions: defined({uid, resourceVersion}),
          recoveryHints: ['run the same command again'],
        },
      ];
    });
    return {key: peer.name, cluster: peer.name, title: `${peer.name}: reader Secrets`, actions};
  });
  return lanes.filter(({actions}) => actions.length > 0);
}

/** The lanes of one reader: its changes, and the proof of what an interrupted run left unproven. */
export function readerLanes(decided: readonly DecidedPair[], facts: LinkFacts, rules: LinkRules): readonly Lane[] {
  const reader = decided[0]?.pair.reader;
  const seen = reader && observed(reader.name, facts.states);
  if (!reader || !seen) return [];
  const {namespace} = facts.loaded.mesh.istio;
  const istiods = isKnown(seen.istiods) ? seen.istiods.value : [];
  const base = {
    cluster: reader.name,
    context: seen.context,
    namespace,
    istioName: istioNameOf(reader),
    isSelective: istiods.some(({isSelective}) => isSelective),
    reports: {
      clusters: istiods.every(({version: {version}}) => hasFeature(version, 'clusterz')),
      endpoints: istiods.every(({version: {version}}) => hasFeature(version, 'endpointShardz')),
    },
    timeoutMs: proofTimeoutMs,
  };
  const lane = (key: string, action: Action): Lane => ({
    key,
    cluster: reader.name,
    title: `${reader.name}: ${action.title}`,
    actions: [action],
  });
  const changing = decided.filter(({decision}) => decision && decision.kind !== 'unchanged');
  const unproven = decided.filter(({decision}) => decision?.kind === 'unchanged' && decision.prove);
  return [
    ...(changing.length === 0 ? [] : [lane(reader.name, linkAction(base, changing, facts, rules))]),
    ...(unproven.length === 0 ? [] : [lane(`${reader.name} (existing)`, proofAction(base, unproven))]),
  ];
}

type ReaderBase = Omit<AwaitDiscovery, 'kind' | 'id' | 'title' | 'peers'>;

function linkAction(
  base: ReaderBase,
  pairs: readonly DecidedPair[],
  facts: LinkFacts,
  {acceptShortTokens}: LinkRules,
): LinkPeers {
  const {discovery} = facts.loaded.mesh;
  const token: PeerLink['token'] =
    discovery.token === 'secret'
      ? {type: 'secret'}
      : {
          type: 'bound',
          lifetimeMs: discovery.tokenLifetimeDays * dayMs,
          shortestMs: acceptShortTokens ? 0 : shortestLifetimeMs,
        };
  const peers = pairs.flatMap(({pair: {reader, peer}, decision}): readonly PeerLink[] => {
    const seen = observed(peer.name, facts.states);
    if (!decision || !seen || decision.kind === 'unchanged') return [];
    return [
      defined<PeerLink>({
        ...peerOf(peer, decision),
        change: decision.kind,
        context: seen.context,
        address: decision.address,
        readerSecret: readerSecretName(reader),
        token,
        before: decision.before,
        keeps: decision.keeps,
      }),
    ];
  });
  const names = some(pairs.map(({pair}) => pair.peer.name));
  const restart = [...new Set(pairs.flatMap(({decision}) => decision?.restart ?? []))].map((name): ObjectRef => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: base.namespace,
    name,
  }));
  const replaced = pairs.flatMap(({decision}) => {
    if (decision?.kind !== 'replace') return [];
    return [`replace Secret ${base.namespace}/${decision.secret} (${decision.reason ?? ''})`];
  });
  const restarts = restart.length === 0 ? '' : `, and restart ${restart.map(({name}) => name).join(', ')}`;
  return defined<LinkPeers>({
    kind: 'link-peers',
    id: `${base.cluster}/link`,
    ...base,
    title: `write ${plural(peers.length, 'remote secret')} to read ${names}${restarts}`,
    confirm: replaced.length === 0 ? undefined : replaced.join('; '),
    peers,
    restart,
    restartTimeoutMs,
  });
}

function proofAction(base: ReaderBase, pairs: readonly DecidedPair[]): AwaitDiscovery {
  const names = some(pairs.map(({pair}) => pair.peer.name));
  return {
    kind: 'await-discovery',
    id: `${base.cluster}/read`,
    ...base,
    title: `wait until istiod has read ${names}`,
    peers: pairs.flatMap(({pair: {peer}, decision}) => (decision ? [peerOf(peer, decision)] : [])),
  };
}

function peerOf(peer: DiscoveryPair['peer'], {secret}: PairDecision) {
  return {cluster: peer.name, istioName: istioNameOf(peer), secret};
}

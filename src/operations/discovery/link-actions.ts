/** The lanes of `link`: what is written to a peer, and to a reader. Pure. */
import {defined} from '../../domain/defined.js';
import {readerSecretName} from '../../domain/discovery/names.js';
import type {DiscoveryPair} from '../../domain/discovery/pairs.js';
import {readerSecretObject} from '../../domain/discovery/reader-secret.js';
import {shortestLifetimeMs} from '../../domain/discovery/token.js';
import type {PairDecision} from '../../domain/discovery/decide-link.js';
import {plural, some} from '../../domain/format.js';
import {groupBy} from '../../domain/group-by.js';
import type {ObjectRef} from '../../domain/kube/object.js';
import {istioNameOf} from '../../domain/mesh/istio-name.js';
import {hasFeature} from '../../domain/istio/features.js';
import {isKnown} from '../../domain/observed.js';
import {printableUrl} from '../../domain/printable-url.js';
import {dayMs} from '../../domain/time.js';
import type {Action} from '../../engine/action.js';
import type {AwaitDiscovery, LinkPeers, PeerLink} from '../../engine/discovery-action.js';
import type {Lane} from '../../engine/operation.js';
import {restartTimeoutMs} from '../shared/restart.js';
import {type DecidedPair, type LinkFacts, type LinkRules, observed} from './link-facts.js';
import {proofTimeoutMs} from './proof-timeout.js';

/** Creates the reader Secrets that are missing for changes. */
export function readerSecretLanes(decided: readonly DecidedPair[], facts: LinkFacts): readonly Lane[] {
  const {namespace} = facts.loaded.mesh.istio;
  const {token} = facts.loaded.mesh.discovery;
  const creating = decided.filter(({decision}) => isChange(decision) && decision.readerSecret.isNew);
  return lanesByPeer(creating, 'reader Secrets', ({pair: {reader, peer}}): Action => ({
    kind: 'put-object',
    id: `${peer.name}/${token === 'bound' ? 'reader' : 'token'}-${reader.name}`,
    cluster: peer.name,
    context: observed(peer.name, facts.states)?.context ?? '',
    object: readerSecretObject(reader, namespace, token),
    title: `create Secret ${namespace}/${readerSecretName(reader, token)}`,
  }));
}

/** Deletes what an earlier run left behind after it changed the kind of token. */
export function supersededLanes(decided: readonly DecidedPair[], facts: LinkFacts): readonly Lane[] {
  const {namespace} = facts.loaded.mesh.istio;
  const superseding = decided.flatMap(({pair, decision}) => {
    const superseded = decision?.kind === 'unchanged' ? decision.readerSecret.superseded : undefined;
    return superseded ? [{pair, ...superseded}] : [];
  });
  return lanesByPeer(superseding, 'superseded reader Secrets', ({pair: {peer}, name, uid}): Action => ({
    kind: 'delete-object',
    id: `${peer.name}/${name}`,
    cluster: peer.name,
    context: observed(peer.name, facts.states)?.context ?? '',
    title: `delete Secret ${namespace}/${name}, whose token is no longer used`,
    ref: {apiVersion: 'v1', kind: 'Secret', namespace, name},
    preconditions: {uid},
  }));
}

function lanesByPeer<One extends Pick<DecidedPair, 'pair'>>(
  pairs: readonly One[],
  what: string,
  actionOf: (one: One) => Action,
): readonly Lane[] {
  return [...groupBy(pairs, ({pair}) => pair.peer.name)].map(([name, own]) => ({
    key: name,
    cluster: name,
    title: `${name}: ${what}`,
    actions: own.map(actionOf),
  }));
}

function isChange(decision: PairDecision | undefined): decision is PairDecision {
  return decision !== undefined && decision.kind !== 'unchanged';
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
  const changing = decided.filter(({decision}) => isChange(decision));
  const unproven = decided.filter(({decision}) => decision?.kind === 'unchanged' && decision.prove);
  const existing = unproven.length === 0 ? [] : [proofAction(base, unproven)];
  const lost = deploymentsOf(unproven, namespace);
  const lane = (key: string, actions: readonly Action[]): readonly Lane[] =>
    actions.length === 0
      ? []
      : [{key, cluster: reader.name, title: `${reader.name}: ${actions.map(({title}) => title).join(', ')}`, actions}];
  if (changing.length === 0) return lane(reader.name, [...lost.map((ref) => restartAction(base, ref)), ...existing]);
  const link = linkAction(base, changing, facts, rules, deploymentsOf([...changing, ...unproven], namespace));
  // What is read is proven whatever becomes of the changes, unless it depends on the restart that belongs to them.
  return lost.length > 0
    ? lane(reader.name, [link, ...existing])
    : [...lane(reader.name, [link]), ...lane(`${reader.name} (existing)`, existing)];
}

function deploymentsOf(pairs: readonly DecidedPair[], namespace: string): readonly ObjectRef[] {
  return [...new Set(pairs.flatMap(({decision}) => decision?.restart ?? []))].map((name) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace,
    name,
  }));
}

function restartAction({cluster, context}: ReaderBase, ref: ObjectRef): Action {
  const title = `restart Deployment ${ref.namespace ?? ''}/${ref.name}, which has lost endpoints`;
  return {
    kind: 'restart-workload',
    id: `${cluster}/restart-${ref.name}`,
    cluster,
    context,
    title,
    ref,
    timeoutMs: restartTimeoutMs,
  };
}

type ReaderBase = Omit<AwaitDiscovery, 'kind' | 'id' | 'title' | 'peers'>;

function linkAction(
  base: ReaderBase,
  pairs: readonly DecidedPair[],
  facts: LinkFacts,
  {acceptShortTokens}: LinkRules,
  restart: readonly ObjectRef[],
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
  const peers = pairs.flatMap(({pair, decision}): readonly PeerLink[] => {
    const {peer} = pair;
    const seen = observed(peer.name, facts.states);
    if (!decision || !seen || decision.kind === 'unchanged') return [];
    const {superseded, ...readerSecret} = decision.readerSecret;
    return [
      defined<PeerLink>({
        ...peerOf(peer, decision),
        change: decision.kind,
        context: seen.context,
        address: decision.address,
        readerSecret,
        superseded,
        token,
        before: decision.before,
        keeps: decision.keeps,
      }),
    ];
  });
  const names = some(pairs.map(({pair}) => pair.peer.name));
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

function peerOf(peer: DiscoveryPair['peer'], {secret, address}: PairDecision) {
  return {cluster: peer.name, istioName: istioNameOf(peer), secret, server: printableUrl(address.url)};
}

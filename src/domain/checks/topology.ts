/** The topology: clusters, networks, the roots and the CA of each, which clusters accept each other, and which read each other. */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import type {Certificate} from '../x509/certificate.js';
import {givesEndpoints, reads} from '../discovery/pairs.js';
import type {
  ClusterFactValues,
  Evidence,
  Fact,
  FactKey,
  Facts,
  IstiodClusters,
  LiveRoots,
  PerPod,
  ServedChain,
} from '../facts/facts.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {type Report, type Row, type Verdict, verdictOf} from './report.js';
import {proxyCaCheck} from './control-plane/proxy-ca.js';
import type {CheckId} from './check.js';
import {addressCheck} from './discovery/address.js';
import {syncStateOf} from './discovery/sync-state.js';
import {endpointsCheck} from './discovery/endpoints.js';
import {remoteSecretCheck} from './discovery/remote-secret.js';
import {syncedCheck} from './discovery/synced.js';
import {tokenCheck} from './discovery/token.js';
import {rejectionOf} from './trust/acceptance.js';
import {signedByOwnCa, otherProviderReason} from './trust/live-chain.js';

/** The facts that the topology requires. */
export const topologyFacts = ['liveRoots', 'servedChains', 'istiodClusters'] as const satisfies readonly FactKey[];

/** A certificate of the topology. */
export interface TopologyCertificate {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

/**
 * Whether the workloads of one cluster accept those of another: live roots against live chains. Unknown, not accepted, if the
 * proxies of one of them are configured with another CA than istiod. `none`: the other cluster
 * runs no istiod, so it signs nothing.
 */
export type Acceptance = 'yes' | 'no' | 'unknown' | 'none';

/**
 * Whether the istiods of one cluster have read the other, and no check of the pair shows that they cannot. `none`: they need not,
 * or no istiod runs here. Unknown also for versions that do not report it.
 */
export type Discovery = 'yes' | 'no' | 'unknown' | 'none';

/** Whether requests from one cluster are answered in another; `no` also if only some are; `none`: its proxies need no endpoints there. */
export type Reach = 'yes' | 'no' | 'unknown' | 'none';

/** The requests from one cluster to another, or within it. */
export interface ReachedCluster {
  readonly cluster: string;
  readonly result: Reach;
  /** Absent if unknown. */
  readonly answered?: number;
  readonly requests?: number;
}

/** One cluster. */
export interface ClusterTopology {
  readonly name: string;
  readonly network?: string;
  readonly role: 'primary' | 'remote';
  /** For a remote: the cluster whose istiod it uses. */
  readonly primary?: string;
  /** Of the checks about this cluster; also unknown if none ran or a part of this object was not observed. */
  readonly verdict: Verdict;
  /** The roots that its workloads trust. Absent: unknown. */
  readonly roots?: readonly TopologyCertificate[];
  /** The CAs of its running istiods. Absent: unknown. */
  readonly clusterCas?: readonly TopologyCertificate[];
  /** The other clusters, in order. */
  readonly accepts: readonly {readonly cluster: string; readonly result: Acceptance}[];
  readonly discovers: readonly {readonly cluster: string; readonly result: Discovery}[];
  /** All clusters, in order, its own included. Absent without `--traffic`. */
  readonly reaches?: readonly ReachedCluster[];
  /** Why a part is unknown. */
  readonly unseen?: readonly string[];
}

/** The mesh, as far as this run observed it. */
export interface MeshTopology {
  readonly meshID?: string;
  readonly clusters: readonly ClusterTopology[];
}

/** What was observed of one cluster. */
interface ClusterObservation {
  readonly roots?: LiveRoots;
  readonly served: readonly ServedChain[];
  /** Whether every running istiod presented its chain. */
  readonly complete: boolean;
  /** Whether its proxies are configured with another CA: then istiod's chain is not that of its workloads. */
  readonly hasOtherCa: boolean;
  readonly unseen: readonly string[];
}

/** Builds the topology. What was not observed is absent or `unknown`, never accepted. */
export function topologyOf(
  {now, mesh, clusters}: Evidence,
  {checks: rows, counted = []}: Pick<Report, 'checks' | 'counted'>,
): MeshTopology {
  // Most rows are about pairs: with many clusters, going through all of them for each cluster takes longest.
  const rowsOf = groupBy(rows, ({cluster}) => cluster);
  const withOkPairs = new Set(counted.filter(({result}) => result === 'ok').map(({cluster}) => cluster));
  const observed = clusters.map(({cluster, facts}) => {
    const own = rowsOf.get(cluster.name) ?? [];
    return {
      cluster,
      own,
      facts,
      clusterz: facts.istiodClusters,
      observation: observationOf(facts, own.some(isOfOtherCa)),
    };
  });
  return defined({
    meshID: mesh.meshID,
    clusters: observed.map(({cluster, own, facts, observation, clusterz}) => {
      const ofPairs = groupBy(own, ({peer}) => peer);
      return defined({
        name: cluster.name,
        network: cluster.network,
        role: cluster.role,
        primary: cluster.primary,
        verdict: verdictFor(own, withOkPairs.has(cluster.name), observation),
        roots: observation.roots?.certificates.map(toTopologyCertificate),
        clusterCas: observation.served.length > 0 || observation.complete ? signersOf(observation.served) : undefined,
        accepts: observed
          .filter((other) => other.cluster !== cluster)
          .map((other) => ({cluster: other.cluster.name, result: acceptance(observation, other.observation, now)})),
        discovers: clusters
          .filter((other) => other.cluster !== cluster)
          .map((other) => ({
            cluster: other.cluster.name,
            result: discovery(cluster, other.cluster, clusterz, ofPairs.get(other.cluster.name) ?? []),
          })),
        reaches: reachesOf(cluster, facts, clusters, mesh.clusters),
        unseen: observation.unseen.length > 0 ? observation.unseen : undefined,
      });
    }),
  });
}

function isOfOtherCa({id, result}: Row): boolean {
  return id === proxyCaCheck.id && result === 'error';
}

function observationOf(
  {liveRoots: roots, servedChains: chains}: Facts<ClusterFactValues>,
  hasOtherCa: boolean,
): ClusterObservation {
  const parts = chains && 'value' in chains ? chains.value.parts : undefined;
  const presented = (parts ?? []).flatMap(({name, observed}) =>
    'value' in observed ? [{name, value: observed.value}] : [],
  );
  const [own, byOtherCa] = [signedByOwnCa(presented), presented.filter(({value}) => value.signedBy !== undefined)];
  const trusted = roots && 'value' in roots && roots.value !== 'ClusterTrustBundle' ? roots.value : undefined;
  const unseen = [
    ...(trusted
      ? []
      : [unobservedReason(roots, 'istiod publishes its roots in a ClusterTrustBundle, which is not read')]),
    ...(parts ?? []).flatMap(({observed}) => ('unknown' in observed ? [observed.unknown.message] : [])),
    ...(byOtherCa.length > 0 ? [otherProviderReason(byOtherCa)] : []),
    ...(parts ? [] : [unobservedReason(chains, 'no istiod was queried')]),
    ...(hasOtherCa ? [`proxies are configured with another CA (${proxyCaCheck.id})`] : []),
  ];
  return defined({
    roots: trusted,
    served: own.map(({value}) => value),
    complete: own.length === parts?.length,
    hasOtherCa,
    unseen: [...new Set(unseen)],
  });
}

function unobservedReason(fact: Fact<unknown> | undefined, otherwise: string): string {
  if (fact === undefined) return 'not read: no selected check requires it';
  if ('omitted' in fact) return fact.omitted;
  return 'unknown' in fact ? fact.unknown.message : otherwise;
}

function verdictFor(own: readonly Row[], hasOkPairs: boolean, {unseen}: ClusterObservation): Verdict {
  const verdict = verdictOf(own);
  const isSkipped = !hasOkPairs && own.every(({result}) => result === 'skipped');
  const isIncomplete = unseen.length > 0 || isSkipped;
  return verdict === 'error' || !isIncomplete ? verdict : 'unknown';
}

function acceptance(self: ClusterObservation, peer: ClusterObservation, now: Date): Acceptance {
  if (peer.complete && peer.served.length === 0) return 'none';
  const {roots} = self;
  if (!roots) return 'unknown';
  if (peer.served.some((chain) => rejectionOf(roots, chain, now) !== undefined)) return 'no';
  return peer.complete && !self.hasOtherCa && !peer.hasOtherCa ? 'yes' : 'unknown';
}

/** The checks of a pair without which a peer is not read, and of these, those that show whether it is. */
const requiredForDiscovery = [remoteSecretCheck, tokenCheck, addressCheck, syncedCheck, endpointsCheck].map(
  ({id}) => id,
);
const proofsOfDiscovery: readonly CheckId[] = [syncedCheck.id, endpointsCheck.id];

/** What istiod reports, unless a check of the pair contradicts it. */
function discovery(
  self: MeshCluster,
  peer: MeshCluster,
  fact: Fact<PerPod<IstiodClusters>> | undefined,
  rows: readonly Row[],
): Discovery {
  const reported = reportedDiscovery(self, peer, fact);
  if (reported === 'none') return 'none';
  if (rows.some(({id, result}) => result === 'error' && requiredForDiscovery.includes(id))) return 'no';
  const isUnproven = rows.some(({id, result}) => result === 'unknown' && proofsOfDiscovery.includes(id));
  return reported === 'yes' && isUnproven ? 'unknown' : reported;
}

function reportedDiscovery(
  self: MeshCluster,
  peer: MeshCluster,
  fact: Fact<PerPod<IstiodClusters>> | undefined,
): Discovery {
  if (!reads(self, peer)) return 'none';
  const parts = fact && 'value' in fact ? fact.value.parts : undefined;
  if (!parts) return 'unknown';
  if (parts.length === 0) return 'none';
  const known = parts.flatMap(({name, observed}) => ('value' in observed ? [{name, value: observed.value}] : []));
  const state = syncStateOf(known, peer);
  if (state === 'not synced') return 'no';
  return state === 'synced' && known.length === parts.length ? 'yes' : 'unknown';
}

/** The requests from a cluster to all; undefined if none were sent. */
function reachesOf(
  self: MeshCluster,
  {traffic, localTraffic}: Facts<ClusterFactValues>,
  clusters: Evidence['clusters'],
  all: readonly MeshCluster[],
): readonly ReachedCluster[] | undefined {
  if (!traffic || !localTraffic || !('value' in traffic)) return undefined;
  return clusters.map(({cluster}): ReachedCluster => {
    const isOwn = cluster.name === self.name;
    if (!isOwn && !givesEndpoints(all, self, cluster)) return {cluster: cluster.name, result: 'none'};
    const observed = isOwn ? localTraffic : traffic.value.about(cluster.name);
    if (!observed || !('value' in observed)) return {cluster: cluster.name, result: 'unknown'};
    const {answered, requests} = observed.value;
    return {cluster: cluster.name, result: answered === requests ? 'yes' : 'no', answered, requests};
  });
}

/** The issuers of the certificates that istiods present, each once. */
function signersOf(served: readonly ServedChain[]): readonly TopologyCertificate[] {
  const signers = served.flatMap(({certificates}) => certificates.slice(1, 2));
  return [...new Map(signers.map((one) => [one.fingerprint, toTopologyCertificate(one)])).values()];
}

function toTopologyCertificate({fingerprint, subject, notAfter}: Certificate): TopologyCertificate {
  return {fingerprint, subject: subject.text, notAfter: notAfter.toISOString()};
}

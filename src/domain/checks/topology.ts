/** The mesh as a picture shows it: clusters, networks, what each trusts, what each signs with, who accepts whom. */
import {defined} from '../defined.js';
import type {Certificate} from '../x509/certificate.js';
import {
  type Evidence,
  type Fact,
  type FactKey,
  type LiveRoots,
  type LiveRootsElsewhere,
  type PerPod,
  type ServedChain,
} from '../facts/facts.js';
import {type Row, type Verdict, verdictOf} from './report.js';
import {refusalOf} from './trust/acceptance.js';
import {signedByItself, someoneElses} from './trust/live-chain.js';

/** The facts that a picture is drawn from. */
export const topologyFacts = ['liveRoots', 'servedChains'] as const satisfies readonly FactKey[];

/** A certificate, as far as a picture shows it. */
export interface TopologyCertificate {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

/**
 * Whether the workloads of one cluster accept those of another: live roots against live chains. `none`: that one runs no
 * istiod, so it signs nothing.
 */
export type Acceptance = 'yes' | 'no' | 'unknown' | 'none';

/** One cluster. */
export interface ClusterTopology {
  readonly name: string;
  readonly network?: string;
  readonly role: 'primary' | 'remote';
  /** For a remote: whose istiod it uses. */
  readonly primary?: string;
  /** Of the checks about this cluster; unknown, too, where they were not asked or not everything drawn here was seen. */
  readonly verdict: Verdict;
  /** What its workloads trust. Absent: not seen. */
  readonly roots?: readonly TopologyCertificate[];
  /** What its running istiods sign with. Absent: not seen. */
  readonly clusterCas?: readonly TopologyCertificate[];
  /** The other clusters, in order. */
  readonly accepts: readonly {readonly cluster: string; readonly result: Acceptance}[];
  /** Why something was not seen. */
  readonly unseen?: readonly string[];
}

/** The whole mesh, as far as this run looked at it. */
export interface MeshTopology {
  readonly meshID?: string;
  readonly clusters: readonly ClusterTopology[];
}

/** What is known of one cluster. */
interface Sight {
  readonly roots?: LiveRoots;
  readonly served: readonly ServedChain[];
  /** Whether every running istiod presented its chain. */
  readonly complete: boolean;
  readonly unseen: readonly string[];
}

/** Draws what was seen. What was not seen is missing or `unknown`, never fine. */
export function topologyOf({now, mesh, clusters}: Evidence, rows: readonly Row[]): MeshTopology {
  const seen = clusters.map(({cluster, facts}) => ({cluster, sight: sightOf(facts.liveRoots, facts.servedChains)}));
  return defined({
    meshID: mesh.meshID,
    clusters: seen.map(({cluster, sight}) =>
      defined({
        name: cluster.name,
        network: cluster.network,
        role: cluster.role,
        primary: cluster.primary,
        verdict: verdictFor(cluster.name, rows, sight),
        roots: sight.roots?.certificates.map(drawn),
        clusterCas: sight.served.length > 0 || sight.complete ? signersOf(sight.served) : undefined,
        accepts: seen
          .filter((other) => other.cluster !== cluster)
          .map((other) => ({cluster: other.cluster.name, result: acceptance(sight, other.sight, now)})),
        unseen: sight.unseen.length > 0 ? sight.unseen : undefined,
      }),
    ),
  });
}

function sightOf(
  roots: Fact<LiveRoots | LiveRootsElsewhere> | undefined,
  chains: Fact<PerPod<ServedChain>> | undefined,
): Sight {
  const parts = chains && 'value' in chains ? chains.value.parts : undefined;
  const presented = (parts ?? []).flatMap(({name, seen}) => ('value' in seen ? [{name, value: seen.value}] : []));
  const [own, others] = [signedByItself(presented), presented.filter(({value}) => value.signedBy !== undefined)];
  const trusted = roots && 'value' in roots && roots.value !== 'elsewhere' ? roots.value : undefined;
  const unseen = [
    ...(trusted ? [] : [whyUnseen(roots, 'istiod publishes its roots by other means than ConfigMaps')]),
    ...(parts ?? []).flatMap(({seen}) => ('unknown' in seen ? [seen.unknown.message] : [])),
    ...(others.length > 0 ? [someoneElses(others)] : []),
    ...(parts ? [] : [whyUnseen(chains, 'no istiod was asked')]),
  ];
  return defined({
    roots: trusted,
    served: own.map(({value}) => value),
    complete: own.length === parts?.length,
    unseen: [...new Set(unseen)],
  });
}

function whyUnseen(fact: Fact<unknown> | undefined, otherwise: string): string {
  if (fact === undefined) return 'not asked: no selected check needs it';
  if ('leftOut' in fact) return fact.leftOut;
  return 'unknown' in fact ? fact.unknown.message : otherwise;
}

function verdictFor(name: string, rows: readonly Row[], {unseen}: Sight): Verdict {
  const own = rows.filter(({cluster}) => cluster === name);
  const verdict = verdictOf(own);
  const isBlind = unseen.length > 0 || own.every(({result}) => result === 'skipped');
  return verdict === 'error' || !isBlind ? verdict : 'unknown';
}

function acceptance(self: Sight, peer: Sight, now: Date): Acceptance {
  if (peer.complete && peer.served.length === 0) return 'none';
  const {roots} = self;
  if (!roots) return 'unknown';
  if (peer.served.some((chain) => refusalOf(roots, chain, now) !== undefined)) return 'no';
  return peer.complete ? 'yes' : 'unknown';
}

/** The certificates that signed what istiods present, each once. */
function signersOf(served: readonly ServedChain[]): readonly TopologyCertificate[] {
  const signers = served.flatMap(({certificates}) => certificates.slice(1, 2));
  return [...new Map(signers.map((one) => [one.fingerprint, drawn(one)])).values()];
}

function drawn({fingerprint, subject, notAfter}: Certificate): TopologyCertificate {
  return {fingerprint, subject: subject.text, notAfter: notAfter.toISOString()};
}

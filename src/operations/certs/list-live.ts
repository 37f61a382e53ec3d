/** What `certs list --live` learns from the clusters: the facts that verify gathers, as lists of certificates. */
import {defined} from '../../domain/defined.js';
import {
  type ClusterFactValues,
  type Fact,
  type Facts,
  type IstiodMetrics,
  type LiveRoots,
  Parts,
} from '../../domain/facts/facts.js';
import {signedByItself} from '../../domain/checks/trust/live-chain.js';
import type {ErrorReport} from '../../domain/errors.js';
import {cacertsName} from '../../domain/istio/names.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import type {MeshCluster, MeshTrust} from '../../domain/mesh/mesh.js';
import type {DependedOn} from '../../domain/monitoring/forecast.js';
import {type RootAgreement, agreementOfLive} from '../../domain/monitoring/root-agreement.js';
import type {CertificateRole, Source} from '../../domain/monitoring/metrics.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {verifyChain} from '../../domain/x509/chain.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/x509/describe.js';
import type {Deps} from '../../engine/deps.js';
import {gatherEvidence} from '../../observe/evidence.js';
import type {LoadedMesh} from '../shared/load-mesh.js';
import type {Limits} from '../../domain/facts/limits.js';

/** A certificate that was seen in a cluster. */
export interface LiveCertificate extends CertificateSummary {
  readonly role: CertificateRole;
  /** `cluster`: in an object of the API server; `live`: presented by a running istiod. */
  readonly source: Exclude<Source, 'workdir'>;
  /** The objects that hold it, or the pods that present it. */
  readonly places: readonly string[];
  /** Whether a workload's chain goes through it: what ends with it is an outage. */
  readonly inUse: boolean;
}

/** What an istiod says in its metrics of the CA that it has loaded. ISO 8601, UTC. */
export interface ReportedEnds {
  readonly pod: string;
  /** Of the first root of its bundle. */
  readonly rootEnd?: string;
  /** Of the CA that it signs with; absent where that is its root. */
  readonly caEnd?: string;
}

/** What was seen of one cluster. */
export interface LiveCluster {
  /** Whether its API server answered, and is the one of the cluster that mesh.yaml means. */
  readonly reachable: boolean;
  readonly certificates: readonly LiveCertificate[];
  readonly reported: readonly ReportedEnds[];
  /** Which sources were seen whole, as far as they were to be read. */
  readonly readable: Readonly<Record<LiveCertificate['source'], boolean>>;
  /** What could not be seen, and why. */
  readonly problems: readonly ErrorReport[];
}

/** What one cluster adds to the list. */
export interface LiveSight {
  readonly cluster: LiveCluster;
  /** What its workloads depend on, as it runs; empty where that could not be told. */
  readonly dependsOn: readonly DependedOn[];
  readonly agreement: readonly RootAgreement[];
}

/** How the clusters are asked. */
export interface LiveRequest {
  readonly loaded: Pick<LoadedMesh, 'mesh' | 'clusters'>;
  readonly limits: Limits;
  readonly concurrency: number;
}

type ClusterFacts = Facts<ClusterFactValues>;

/** Asks every cluster. What cannot be asked is in the answer. Throws what ends the run. */
export async function gatherLive(
  deps: Deps,
  {loaded, limits, concurrency}: LiveRequest,
): Promise<ReadonlyMap<string, LiveSight>> {
  const {mesh, clusters, now} = await gatherEvidence(deps, {
    mesh: loaded.mesh,
    clusters: loaded.clusters,
    checks: [],
    also: ['apiVersion', 'clusterUid', 'cacerts', 'liveRoots', 'servedChains', 'istiodMetrics'],
    limits,
    concurrency,
  });
  const uids = clusters.flatMap(({cluster: {name}, facts: {clusterUid}}) =>
    clusterUid && 'value' in clusterUid ? [{name, uid: clusterUid.value}] : [],
  );
  const strangers = new Map(identityProblems(mesh, uids, false).map(({cluster, error}) => [cluster, error]));
  const seen = clusters.map(({cluster, facts}): {readonly cluster: MeshCluster; readonly facts: ClusterFacts} => {
    // A context that leads to another cluster says nothing about the one that was meant.
    const unknown = strangers.get(cluster.name);
    return {cluster, facts: unknown ? {apiVersion: {unknown}} : facts};
  });
  const agreement = agreementOfLive(
    seen.map(({cluster, facts}) => ({
      cluster: cluster.name,
      roots: rootsOf(facts),
      chains: partsOf(facts.servedChains).flatMap(({seen: {value}}) => (value.signedBy === undefined ? [value] : [])),
    })),
    now,
  );
  const context = {expiry: mesh.trust.expiry, now};
  return new Map(
    seen.map(({cluster: {name}, facts}) => [
      name,
      {...sightOf(facts, context), agreement: agreement.filter(({cluster}) => cluster === name)},
    ]),
  );
}

interface Context {
  readonly expiry: MeshTrust['expiry'];
  readonly now: Date;
}

function sightOf(facts: ClusterFacts, context: Context): Omit<LiveSight, 'agreement'> {
  const held = heldBy(facts);
  const presented = presentedIn(facts, context.now);
  const used = new Set([...held, ...presented].filter(({inUse}) => inUse).map(({one}) => one.fingerprint));
  const rows = [...merged(held, 'cluster', used, context), ...merged(presented, 'live', used, context)];
  const problems = problemsOf(facts);
  const unknownOf = (...keys: readonly (keyof ClusterFactValues)[]): boolean =>
    keys.some((key) => hasUnknown(facts[key]));
  const reachable = facts.apiVersion !== undefined && 'value' in facts.apiVersion;
  return {
    cluster: {
      reachable,
      certificates: rows.map(({row}) => row),
      reported: partsOf(facts.istiodMetrics).map(({name, seen: {value}}) => reportedEnds(name, value)),
      readable: {
        cluster: reachable && !unknownOf('cacerts', 'liveRoots'),
        live: reachable && !unknownOf('servedChains', 'istiodMetrics'),
      },
      problems,
    },
    dependsOn: dependencies(rows),
  };
}

interface Found {
  readonly one: Certificate;
  readonly role: CertificateRole;
  readonly place: string;
  readonly inUse: boolean;
}

/** Secret cacerts and the bundle beside istiod. */
function heldBy({cacerts, liveRoots}: ClusterFacts): readonly Found[] {
  const inspection = cacerts && 'value' in cacerts && cacerts.value !== 'absent' ? cacerts.value.inspection : undefined;
  const {caCerts = [], chain = [], roots = [], verified} = inspection ?? {};
  const links = verified && 'chain' in verified ? verified.chain : caCerts.slice(0, 1);
  const isUsed = ({fingerprint}: Certificate): boolean => links.some((link) => link.fingerprint === fingerprint);
  const bundle = liveRoots && 'value' in liveRoots && liveRoots.value !== 'elsewhere' ? liveRoots.value : undefined;
  const place = `Secret ${cacertsName}`;
  const found = (one: Certificate, role: CertificateRole): Found => ({one, role, place, inUse: isUsed(one)});
  const above = (one: Certificate): CertificateRole =>
    !one.selfSigned
      ? 'intermediate'
      : isUsed(one) || roots.some(({fingerprint}) => fingerprint === one.fingerprint)
        ? 'root'
        : 'other root';
  return [
    ...caCerts.map((one) => found(one, one.selfSigned ? 'root' : 'cluster CA')),
    ...chain.map((one) => found(one, above(one))),
    ...roots.map((one) => found(one, 'root')),
    // Which of them a chain ends in is seen of the chains.
    ...(bundle?.certificates ?? []).map((one): Found => ({one, role: 'root', place: bundle?.from ?? '', inUse: false})),
  ];
}

/** What running istiods present, and the root that it ends in. */
function presentedIn(facts: ClusterFacts, now: Date): readonly Found[] {
  const roots = rootsOf(facts)?.certificates ?? [];
  const pods = partsOf(facts.servedChains).map(({name, seen: {value}}) => ({name, value}));
  return signedByItself(pods).flatMap(({name, value: {certificates}}) => {
    const [leaf, ...intermediates] = certificates;
    if (!leaf) return [];
    const verified = verifyChain(leaf, {roots, intermediates, now});
    const chain = 'chain' in verified ? verified.chain : certificates;
    // No workload's chain goes through istiod's own certificate, and who issues it renews it in time, be it every hour.
    return chain.map((one, index): Found => ({one, role: presentedRole(one, index), place: name, inUse: index > 0}));
  });
}

function presentedRole({selfSigned}: Certificate, index: number): CertificateRole {
  if (index === 0) return 'istiod';
  if (selfSigned) return 'root';
  return index === 1 ? 'cluster CA' : 'intermediate';
}

interface Row {
  readonly one: Certificate;
  readonly row: LiveCertificate;
}

/** Each certificate once, with all its places. */
function merged(
  found: readonly Found[],
  source: LiveCertificate['source'],
  used: ReadonlySet<string>,
  {expiry, now}: Context,
): readonly Row[] {
  const firsts = new Map(found.toReversed().map((one) => [one.one.fingerprint, one]));
  return found.flatMap((first) => {
    const {fingerprint} = first.one;
    if (firsts.get(fingerprint) !== first) return [];
    const group = found.filter(({one}) => one.fingerprint === fingerprint);
    const summary = summarizeCertificate(first.one, expiry, now);
    const row: LiveCertificate = {
      source,
      role: first.role === 'root' && !used.has(first.one.fingerprint) ? 'other root' : first.role,
      places: [...new Set(group.map(({place}) => place))],
      inUse: used.has(first.one.fingerprint),
      ...summary,
      // Whoever issues it renews it: a life of an hour, as with istio-csr, is no warning.
      ...(first.role === 'istiod' && summary.state !== 'expired' && summary.state !== 'not-yet-valid' && {state: 'ok'}),
    };
    return [{one: first.one, row}];
  });
}

/** What is in use, each certificate once. */
function dependencies(rows: readonly Row[]): readonly DependedOn[] {
  const used = rows.filter(({row}) => row.inUse);
  const byFingerprint = new Map(used.map((one) => [one.one.fingerprint, one]));
  return [...byFingerprint.values()].map(({one, row}) => ({
    role: row.role,
    subject: row.subject,
    fingerprint: row.fingerprint,
    notBefore: one.notBefore,
    notAfter: one.notAfter,
    place: row.places.join(', '),
  }));
}

function rootsOf({liveRoots}: ClusterFacts): LiveRoots | undefined {
  return liveRoots && 'value' in liveRoots && liveRoots.value !== 'elsewhere' ? liveRoots.value : undefined;
}

function reportedEnds(pod: string, {rootEnd, caEnd}: IstiodMetrics): ReportedEnds {
  return defined({pod, rootEnd: rootEnd?.toISOString(), caEnd: caEnd?.toISOString()});
}

interface KnownPart<T> {
  readonly name: string;
  readonly seen: {readonly value: T};
}

function partsOf<T>(fact: Fact<Parts<T>> | undefined): readonly KnownPart<T>[] {
  if (!fact || !('value' in fact)) return [];
  return fact.value.parts.flatMap(({name, seen}) => ('value' in seen ? [{name, seen}] : []));
}

function unknownsOf(fact: Fact<unknown> | undefined): readonly ErrorReport[] {
  if (!fact || 'leftOut' in fact) return [];
  if ('unknown' in fact) return [fact.unknown];
  return fact.value instanceof Parts
    ? fact.value.parts.flatMap(({seen}) => ('unknown' in seen ? [seen.unknown] : []))
    : [];
}

function hasUnknown(fact: Fact<unknown> | undefined): boolean {
  return unknownsOf(fact).length > 0;
}

/** Each reason once: a cluster that is gone is one problem, not six. */
function problemsOf(facts: ClusterFacts): readonly ErrorReport[] {
  const all = Object.values(facts).flatMap((fact: Fact<unknown>) => unknownsOf(fact));
  return [...new Map(all.map((error) => [`${error.code} ${error.message}`, error])).values()];
}

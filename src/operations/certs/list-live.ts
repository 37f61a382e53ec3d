/** What `certs list --live` learns from the clusters: the facts that verify gathers, as lists of certificates. */
import {defined} from '../../domain/defined.js';
import {
  type ClusterFactValues,
  type Fact,
  type Facts,
  type LiveRoots,
  type Part,
  PerPod,
} from '../../domain/facts/facts.js';
import {signedByItself} from '../../domain/checks/trust/live-chain.js';
import type {ErrorReport} from '../../domain/errors.js';
import {cacertsName} from '../../domain/istio/names.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {Dependency} from '../../domain/monitoring/forecast.js';
import {type RootAgreement, agreementOfLive} from '../../domain/monitoring/root-agreement.js';
import type {CertificateRole, Source} from '../../domain/monitoring/metrics.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {verifyChain} from '../../domain/x509/chain.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/x509/describe.js';
import type {Deps} from '../../engine/deps.js';
import {gatherEvidence} from '../../observe/evidence.js';
import type {LoadedMesh} from '../shared/load-mesh.js';
import type {Limits} from '../../domain/facts/limits.js';
import {type Context, firstOfEach, type Found} from './list-files.js';

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

/** What was seen of one cluster. */
export interface LiveCluster {
  /** Whether its API server answered, and is the one of the cluster that mesh.yaml means. */
  readonly reachable: boolean;
  readonly certificates: readonly LiveCertificate[];
  /** What each istiod says in its metrics of the first root of its bundle, and of the CA that it signs with where that is no root. */
  readonly reported: readonly {readonly pod: string; readonly rootEnd?: string; readonly caEnd?: string}[];
  /** Which sources were seen whole, as far as they were to be read. */
  readonly readable: Readonly<Record<LiveCertificate['source'], boolean>>;
  /** What could not be seen, and why. */
  readonly problems: readonly ErrorReport[];
}

/** What one cluster adds to the list. */
export interface LiveSight {
  readonly cluster: LiveCluster;
  /** What its workloads depend on, as it runs; empty where that could not be told. */
  readonly dependsOn: readonly Dependency[];
}

/** What was seen of all of them. */
export interface LiveMesh {
  readonly sights: ReadonlyMap<string, LiveSight>;
  readonly agreement: readonly RootAgreement[];
}

type ClusterFacts = Facts<ClusterFactValues>;

/** Asks every cluster. What cannot be asked is in the answer. Throws what ends the run. */
export async function gatherLive(
  deps: Deps,
  loaded: Pick<LoadedMesh, 'mesh' | 'clusters'>,
  limits: Limits,
  concurrency: number,
): Promise<LiveMesh> {
  const {mesh, clusters, now} = await gatherEvidence(deps, {
    mesh: loaded.mesh,
    clusters: loaded.clusters,
    checks: [],
    also: ['apiVersion', 'clusterUid', 'cacerts', 'liveRoots', 'servedChains', 'istiodMetrics'],
    limits,
    concurrency,
  });
  const uids = clusters.map(({cluster: {name}, facts}) => ({name, uid: valueOf(facts.clusterUid)}));
  const strangers = uidMismatches(mesh, uids);
  const seen = clusters.map(({cluster, facts}): {readonly cluster: MeshCluster; readonly facts: ClusterFacts} => {
    // A context that leads to another cluster says nothing about the one that was meant.
    const unknown = strangers.get(cluster.name);
    return {cluster, facts: unknown ? {apiVersion: {unknown}} : facts};
  });
  const agreement = agreementOfLive(
    seen.map(({cluster, facts}) => ({
      cluster: cluster.name,
      roots: rootsOf(facts),
      chains: signedByItself(partsOf(facts.servedChains)).map(({value}) => value),
    })),
    now,
  );
  const context = {expiry: mesh.trust.expiry, now};
  return {sights: new Map(seen.map(({cluster: {name}, facts}) => [name, sightOf(facts, context)])), agreement};
}

function sightOf(facts: ClusterFacts, context: Context): LiveSight {
  const held = heldBy(facts);
  const presented = presentedIn(facts, context.now);
  const used = new Set([...held.used, ...presented.used].map(({fingerprint}) => fingerprint));
  const certificates = [
    ...merged(held.found, 'cluster', used, context),
    ...merged(presented.found, 'live', used, context),
  ];
  const isKnown = (...keys: readonly (keyof ClusterFactValues)[]): boolean =>
    keys.every((key) => unknownsOf(facts[key]).length === 0);
  const reachable = valueOf(facts.apiVersion) !== undefined;
  return {
    cluster: {
      reachable,
      certificates,
      reported: partsOf(facts.istiodMetrics).map(({name: pod, value: {rootEnd, caEnd}}) =>
        defined({pod, rootEnd: rootEnd?.toISOString(), caEnd: caEnd?.toISOString()}),
      ),
      readable: {
        cluster: reachable && isKnown('cacerts', 'liveRoots'),
        live: reachable && isKnown('servedChains', 'istiodMetrics'),
      },
      problems: problemsOf(facts),
    },
    dependsOn: dependencies(certificates),
  };
}

/** A cluster's certificates, and which of them are in the chains of workloads. */
interface Sighted {
  readonly found: readonly Found[];
  readonly used: readonly Certificate[];
}

/** Secret cacerts and the bundle beside istiod. The chains show in which roots of the bundle they end. */
function heldBy(facts: ClusterFacts): Sighted {
  const cacerts = valueOf(facts.cacerts);
  const inspection = cacerts === 'absent' ? undefined : cacerts?.inspection;
  const {caCerts = [], chain = [], roots = [], verified} = inspection ?? {};
  const used = verified && 'chain' in verified ? verified.chain : caCerts.slice(0, 1);
  const known = new Set([...used, ...roots].map(({fingerprint}) => fingerprint));
  const {certificates: bundle = [], from = ''} = rootsOf(facts) ?? {};
  const roleAbove = ({selfSigned, fingerprint}: Certificate): CertificateRole =>
    !selfSigned ? 'intermediate' : known.has(fingerprint) ? 'root' : 'other root';
  const found = (certificate: Certificate, role: CertificateRole, place = `Secret ${cacertsName}`): Found => {
    return {certificate, role, place};
  };
  return {
    used,
    found: [
      ...caCerts.map((one) => found(one, one.selfSigned ? 'root' : 'cluster CA')),
      ...chain.map((one) => found(one, roleAbove(one))),
      ...roots.map((one) => found(one, 'root')),
      ...bundle.map((one) => found(one, 'root', from)),
    ],
  };
}

/** What running istiods present, and the root that it ends in. */
function presentedIn(facts: ClusterFacts, now: Date): Sighted {
  const roots = rootsOf(facts)?.certificates ?? [];
  const found = signedByItself(partsOf(facts.servedChains)).flatMap(({name, value: {certificates}}) => {
    const [leaf, ...intermediates] = certificates;
    if (!leaf) return [];
    const verified = verifyChain(leaf, {roots, intermediates, now});
    const chain = 'chain' in verified ? verified.chain : certificates;
    return chain.map((one, index) => ({certificate: one, role: presentedRole(one, index), place: name}));
  });
  // No workload's chain goes through istiod's own certificate, and who issues it renews it in time, be it every hour.
  return {found, used: found.flatMap(({role, certificate}) => (role === 'istiod' ? [] : [certificate]))};
}

function presentedRole({selfSigned}: Certificate, index: number): CertificateRole {
  if (index === 0) return 'istiod';
  if (selfSigned) return 'root';
  return index === 1 ? 'cluster CA' : 'intermediate';
}

/** Each certificate once, with all its places. */
function merged(
  found: readonly Found[],
  source: LiveCertificate['source'],
  used: ReadonlySet<string>,
  {expiry, now}: Context,
): readonly LiveCertificate[] {
  return firstOfEach(found).map(({certificate, role}) => {
    const {fingerprint} = certificate;
    const summary = summarizeCertificate(certificate, expiry, now);
    const places = found.flatMap((one) => (one.certificate.fingerprint === fingerprint ? [one.place] : []));
    const inUse = used.has(fingerprint);
    return {
      source,
      role: role === 'root' && !inUse ? 'other root' : role,
      places: [...new Set(places)],
      inUse,
      ...summary,
      // Whoever issues it renews it: a life of an hour, as with istio-csr, is no warning.
      ...(role === 'istiod' && summary.state !== 'expired' && summary.state !== 'not-yet-valid' && {state: 'ok'}),
    };
  });
}

/** What is in use, each certificate once. */
function dependencies(certificates: readonly LiveCertificate[]): readonly Dependency[] {
  const used = certificates.filter(({inUse}) => inUse);
  const distinct = new Map(used.map((one) => [one.fingerprint, one])).values();
  return [...distinct].map(({role, subject, fingerprint, notBefore, notAfter, places}) => ({
    ...{role, subject, fingerprint, place: places.join(', ')},
    ...{notBefore: new Date(notBefore), notAfter: new Date(notAfter)},
  }));
}

function rootsOf({liveRoots}: ClusterFacts): LiveRoots | undefined {
  const roots = valueOf(liveRoots);
  return roots === 'elsewhere' ? undefined : roots;
}

function valueOf<T>(fact: Fact<T> | undefined): T | undefined {
  return fact && 'value' in fact ? fact.value : undefined;
}

/** The parts that are known. */
function partsOf<T>(fact: Fact<PerPod<T>> | undefined): readonly Part<T>[] {
  return (valueOf(fact)?.parts ?? []).flatMap(({name, seen}) => ('value' in seen ? [{name, value: seen.value}] : []));
}

function unknownsOf(fact: Fact<unknown> | undefined): readonly ErrorReport[] {
  if (fact && 'unknown' in fact) return [fact.unknown];
  const value = valueOf(fact);
  return value instanceof PerPod ? value.parts.flatMap(({seen}) => ('unknown' in seen ? [seen.unknown] : [])) : [];
}

/** Each reason once: a cluster that is gone is one problem, not six. */
function problemsOf(facts: ClusterFacts): readonly ErrorReport[] {
  const all = Object.values(facts).flatMap((fact: Fact<unknown>) => unknownsOf(fact));
  return [...new Map(all.map((error) => [`${error.code} ${error.message}`, error])).values()];
}

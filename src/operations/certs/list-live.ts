/** The certificates that `certs list --live` finds in the clusters, from the same facts that verify gathers. */
import {defined} from '../../domain/defined.js';
import {
  type ClusterFactValues,
  type Fact,
  type Facts,
  type LiveRoots,
  type PodPart,
  PerPod,
} from '../../domain/facts/facts.js';
import {signedByOwnCa} from '../../domain/checks/trust/live-chain.js';
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
import {type ExpiryContext, distinctCertificates, type Found} from './list-files.js';

/** A certificate found in a cluster. */
export interface LiveCertificate extends CertificateSummary {
  readonly role: CertificateRole;
  /** `cluster`: in an object of the API server; `live`: presented by a running istiod. */
  readonly source: Exclude<Source, 'workdir'>;
  /** The objects that hold it, or the pods that present it. */
  readonly places: readonly string[];
  /** Whether it is part of a workload's chain: its expiry is then an outage. */
  readonly inUse: boolean;
}

/** The live state of one cluster. */
export interface LiveCluster {
  /** Whether its API server responded, and its UID does not contradict mesh.yaml. */
  readonly reachable: boolean;
  readonly certificates: readonly LiveCertificate[];
  /** The expiry in each istiod's metrics: of its bundle's first root, and of its signing CA unless that is a root. */
  readonly reported: readonly {readonly pod: string; readonly rootEnd?: string; readonly caEnd?: string}[];
  /** Which sources were read completely. */
  readonly readable: Readonly<Record<LiveCertificate['source'], boolean>>;
  /** What could not be read, and why. */
  readonly problems: readonly ErrorReport[];
}

/** The entry of one cluster in the list. */
export interface LiveClusterEntry {
  readonly cluster: LiveCluster;
  /** The certificates that its workloads depend on in the running cluster; empty if they are unknown. */
  readonly dependsOn: readonly Dependency[];
}

/** The live state of all clusters. */
export interface LiveMesh {
  readonly clusters: ReadonlyMap<string, LiveClusterEntry>;
  readonly agreement: readonly RootAgreement[];
}

type LiveFacts = Facts<ClusterFactValues>;

/** Reads all clusters. Read errors are part of the result; only errors that end the run are thrown. */
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
    extraFacts: ['apiVersion', 'clusterUid', 'cacerts', 'liveRoots', 'servedChains', 'istiodMetrics'],
    limits,
    concurrency,
  });
  const uids = clusters.map(({cluster: {name}, facts}) => ({name, uid: valueOf(facts.clusterUid)}));
  const mismatches = uidMismatches(mesh, uids);
  const observed = clusters.map(({cluster, facts}): {readonly cluster: MeshCluster; readonly facts: LiveFacts} => {
    // A context that points to another cluster reveals nothing about the intended one.
    const unknown = mismatches.get(cluster.name);
    return {cluster, facts: unknown ? {apiVersion: {unknown}} : facts};
  });
  const agreement = agreementOfLive(
    observed.map(({cluster, facts}) => ({
      cluster: cluster.name,
      roots: rootsOf(facts),
      chains: signedByOwnCa(partsOf(facts.servedChains)).map(({value}) => value),
    })),
    now,
  );
  const context = {expiry: mesh.trust.expiry, now};
  return {clusters: new Map(observed.map(({cluster: {name}, facts}) => [name, entryOf(facts, context)])), agreement};
}

function entryOf(facts: LiveFacts, context: ExpiryContext): LiveClusterEntry {
  const held = certificatesInObjects(facts);
  const presented = presentedCertificates(facts, context.now);
  const used = new Set([...held.used, ...presented.used].map(({fingerprint}) => fingerprint));
  const certificates = [
    ...mergePlaces(held.found, 'cluster', used, context),
    ...mergePlaces(presented.found, 'live', used, context),
  ];
  const isKnown = (...keys: readonly (keyof ClusterFactValues)[]): boolean =>
    keys.every((key) => unknownsOf(facts[key]).length === 0);
  const reachable = valueOf(facts.apiVersion) !== undefined;
  return {
    cluster: {
      reachable,
      certificates,
      reported: partsOf(facts.istiodMetrics).map(({name: pod, value: {rootExpiry, caExpiry}}) =>
        defined({pod, rootEnd: rootExpiry?.toISOString(), caEnd: caExpiry?.toISOString()}),
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

/** A cluster's certificates, and which of them are part of workloads' chains. */
interface UsedCertificates {
  readonly found: readonly Found[];
  readonly used: readonly Certificate[];
}

/** The certificates in Secret cacerts and istiod's bundle. The chains show which of the bundle's roots are in use. */
function certificatesInObjects(facts: LiveFacts): UsedCertificates {
  const cacerts = valueOf(facts.cacerts);
  const inspection = cacerts === 'absent' ? undefined : cacerts?.inspection;
  const {caCerts = [], chain = [], roots = [], verified} = inspection ?? {};
  const used = verified && 'chain' in verified ? verified.chain : caCerts.slice(0, 1);
  const known = new Set([...used, ...roots].map(({fingerprint}) => fingerprint));
  const {certificates: bundle = [], from = ''} = rootsOf(facts) ?? {};
  const roleAbove = ({selfSigned, fingerprint}: Certificate): CertificateRole =>
    !selfSigned ? 'intermediate' : known.has(fingerprint) ? 'root' : 'other root';
  const secret = cacerts === undefined || cacerts === 'absent' ? cacertsName : cacerts.name;
  const found = (certificate: Certificate, role: CertificateRole, place = `Secret ${secret}`): Found => {
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

/** The chains that running istiods present, including their roots. */
function presentedCertificates(facts: LiveFacts, now: Date): UsedCertificates {
  const roots = rootsOf(facts)?.certificates ?? [];
  const found = signedByOwnCa(partsOf(facts.servedChains)).flatMap(({name, value: {certificates}}) => {
    const [leaf, ...intermediates] = certificates;
    if (!leaf) return [];
    const verified = verifyChain(leaf, {roots, intermediates, now});
    const chain = 'chain' in verified ? verified.chain : certificates;
    return chain.map((one, index) => ({certificate: one, role: presentedRole(one, index), place: name}));
  });
  // istiod's serving certificate is not part of any workload's chain, and its issuer renews it in time, even hourly.
  return {found, used: found.flatMap(({role, certificate}) => (role === 'istiod' ? [] : [certificate]))};
}

function presentedRole({selfSigned}: Certificate, index: number): CertificateRole {
  if (index === 0) return 'istiod';
  if (selfSigned) return 'root';
  return index === 1 ? 'cluster CA' : 'intermediate';
}

/** Each certificate once, with all its places. */
function mergePlaces(
  found: readonly Found[],
  source: LiveCertificate['source'],
  used: ReadonlySet<string>,
  {expiry, now}: ExpiryContext,
): readonly LiveCertificate[] {
  return distinctCertificates(found).map(({certificate, role}) => {
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
      // Its issuer renews it: a lifetime of an hour, as with istio-csr, is not a warning.
      ...(role === 'istiod' && summary.state !== 'expired' && summary.state !== 'not-yet-valid' && {state: 'ok'}),
    };
  });
}

/** The certificates in use, each once. */
function dependencies(certificates: readonly LiveCertificate[]): readonly Dependency[] {
  const used = certificates.filter(({inUse}) => inUse);
  const distinct = new Map(used.map((one) => [one.fingerprint, one])).values();
  return [...distinct].map(({role, subject, fingerprint, notBefore, notAfter, places}) => ({
    ...{role, subject, fingerprint, place: places.join(', ')},
    ...{notBefore: new Date(notBefore), notAfter: new Date(notAfter)},
  }));
}

function rootsOf({liveRoots}: LiveFacts): LiveRoots | undefined {
  const roots = valueOf(liveRoots);
  return roots === 'ClusterTrustBundle' ? undefined : roots;
}

function valueOf<T>(fact: Fact<T> | undefined): T | undefined {
  return fact && 'value' in fact ? fact.value : undefined;
}

/** The parts whose value is known. */
function partsOf<T>(fact: Fact<PerPod<T>> | undefined): readonly PodPart<T>[] {
  return (valueOf(fact)?.parts ?? []).flatMap(({name, observed}) =>
    'value' in observed ? [{name, value: observed.value}] : [],
  );
}

function unknownsOf(fact: Fact<unknown> | undefined): readonly ErrorReport[] {
  if (fact && 'unknown' in fact) return [fact.unknown];
  const value = valueOf(fact);
  return value instanceof PerPod
    ? value.parts.flatMap(({observed}) => ('unknown' in observed ? [observed.unknown] : []))
    : [];
}

/** Each reason once: an unreachable cluster is one problem, not six. */
function problemsOf(facts: LiveFacts): readonly ErrorReport[] {
  const all = Object.values(facts).flatMap((fact: Fact<unknown>) => unknownsOf(fact));
  return [...new Map(all.map((error) => [`${error.code} ${error.message}`, error])).values()];
}

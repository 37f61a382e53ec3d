/** `certs list`: all certificates of the mesh, what expires first, and when to renew. Requires no keys. */
import {defined} from '../../domain/defined.js';
import {codeOfFailedRead, type ErrorReport} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {type Dependency, type Dependencies, type Forecast, forecasts} from '../../domain/monitoring/forecast.js';
import {type RootAgreement, agreementOfFiles} from '../../domain/monitoring/root-agreement.js';
import {externalCaReason, type SignerSpec} from '../../domain/mesh/signer.js';
import type {Severity} from '../../domain/checks/check.js';
import {advice, type Hint, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import type {CertificateRole} from '../../domain/monitoring/metrics.js';
import type {ClusterResult} from '../../engine/report.js';
import {
  asWarnings,
  type Conclusion,
  emptyPlan,
  onePhase,
  type PhaseRun,
  type RunSettings,
  type Warning,
} from '../../engine/operation.js';
import {type LoadedMesh, loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {type ExpiryContext, type Found, readCluster, readRoots, type ClusterFiles} from './list-files.js';
import type {LiveCluster, LiveMesh, LiveClusterEntry} from './list-live.js';
import type {Limits} from '../../domain/facts/limits.js';
import {dayMs} from '../../domain/time.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/x509/describe.js';

/** A certificate of the mesh. */
export interface ListedCertificate extends CertificateSummary {
  readonly role: CertificateRole;
  /** Relative to the work directory. */
  readonly file: string;
  /** Whether it is part of a workload's chain: its expiry is then an outage. */
  readonly inUse: boolean;
}

/** One cluster's certificates; `skipped` if it has none yet. */
export interface ListedCluster extends ClusterResult {
  readonly certificates: readonly ListedCertificate[];
  /** With `--live`: the certificates in the cluster itself. */
  readonly live?: LiveCluster;
}

/** The request of `certs list`. */
export interface ListRequest {
  readonly mesh: MeshRequest;
  /** `--live`: read the clusters as well. */
  readonly live?: {readonly limits: Limits};
  /** `--within`: list only certificates in use that expire within this number of days. */
  readonly withinDays?: number;
  /** `--fail-on`: the lowest severity that counts as a finding. */
  readonly failOn?: Severity | undefined;
}

/** The first certificate in use to expire. `file`: or the object in the cluster, if no file has it. */
export interface FirstOutage extends Pick<ListedCertificate, 'subject' | 'file' | 'notAfter' | 'daysLeft'> {
  /** The clusters whose workloads fail. */
  readonly clusters: readonly string[];
}

/** The result of `certs list`. */
export interface ListResult {
  /** The time of the run. ISO 8601, UTC. */
  readonly at: string;
  /** With `--within`: only certificates in use that expire within this number of days are listed. */
  readonly withinDays?: number;
  readonly root: {readonly certificates: readonly ListedCertificate[]; readonly error?: ErrorReport};
  readonly clusters: readonly ListedCluster[];
  /** What to renew by when, the next one first; for clusters with a CA. Never filtered. */
  readonly forecast: readonly Forecast[];
  /** Whether each cluster's CA chains to roots that every other cluster trusts. Never filtered. */
  readonly rootAgreement: readonly RootAgreement[];
  /** How a cluster without CA files gets them, or why it needs none; empty if every cluster has them. */
  readonly missing: Hint;
  /** Clusters that need CA files but have no known CA, not even a live one. */
  readonly withoutCa: readonly string[];
  /** Absent when no cluster has a CA. */
  readonly firstOutage?: FirstOutage;
  readonly warnings: readonly Warning[];
}

interface ListFacts {
  readonly loaded: LoadedMesh;
  readonly rootText: string | undefined;
  readonly files: readonly {readonly name: string; readonly files: CaFiles}[];
  readonly now: Date;
  /** With `--live`. */
  readonly liveMesh?: LiveMesh;
}

/** `certs list`. Findings change the exit code only with `failOn`. */
export const listCerts = onePhase<ListRequest, ListResult, ListFacts>({
  command: 'certs list',
  changes: false,
  title: ({live}) => (live ? 'read the work directory and the clusters' : 'read the work directory'),
  gather,
  plan: ({loaded}) => ({...emptyPlan, warnings: asWarnings(loaded.notes)}),
  report,
  conclude: (result, {failOn}) => [
    ...errorsOf(result),
    ...(failOn && hasFinding(result, failOn) ? ['findings' as const] : []),
    // A pipeline must not mistake a missing certificate for a valid one.
    ...(failOn && result.withoutCa.length > 0 ? ['NOT_FOUND' as const] : []),
  ],
});

function errorsOf({root, clusters}: ListResult): readonly Conclusion[] {
  return [
    ...[root.error, ...clusters.map(({error}) => error)].map((error) => error?.code ?? 'done'),
    ...clusters.flatMap(({live}) => (live?.problems ?? []).map(({code}) => codeOfFailedRead(code))),
  ];
}

/** Whether a certificate that workloads depend on expires too soon, or is not valid. */
function hasFinding(result: ListResult, failOn: Severity): boolean {
  const {root, clusters, withinDays} = result;
  const all = [
    ...root.certificates,
    ...clusters.flatMap(({certificates, live}) => [...certificates, ...(live?.certificates ?? [])]),
  ];
  return all.some(({inUse, state}) => {
    if (!inUse) return false;
    if (state !== 'ok' && state !== 'warning') return true;
    // --within sets the threshold.
    return failOn === 'warning' && (state === 'warning' || withinDays !== undefined);
  });
}

async function gather(deps: Deps, {mesh, live}: ListRequest, {concurrency}: RunSettings): Promise<ListFacts> {
  const {workspace} = deps;
  const loaded = await loadMesh(deps, mesh);
  const [rootText, files, liveMesh] = await Promise.all([
    workspace.readText(layout.rootCert),
    Promise.all(loaded.clusters.map(async ({name}) => ({name, files: await readCaFiles(workspace, name)}))),
    live && (await import('./list-live.js')).gatherLive(deps, loaded, live.limits, concurrency),
  ]);
  return defined({loaded, rootText, files, now: deps.now(), liveMesh});
}

function report({facts, plan}: PhaseRun<ListFacts>, {withinDays}: ListRequest): ListResult {
  const {loaded, rootText, files, now, liveMesh} = facts;
  const {expiry, signer} = loaded.mesh.trust;
  const root = readRoots(rootText);
  const read = files.map((one) => readCluster(one.name, one.files, root.found, now));
  const clusters = read.map((one): ClusterFiles => {
    return {...one, certificates: dependenciesOf(one, liveMesh?.clusters.get(one.cluster), root.found)};
  });
  const isListed = isWithin(withinDays, now);
  const rows = (found: readonly Found[], using: readonly Dependencies[]): readonly ListedCertificate[] =>
    listed(found, using, {expiry, now}).filter(isListed);
  const withoutCa = clusters.filter(({result, certificates}) => {
    return result.outcome === 'skipped' && certificates.length === 0;
  });
  return defined({
    at: now.toISOString(),
    withinDays,
    root: defined({certificates: rows(root.found, clusters), error: root.error}),
    clusters: clusters.map((one) => {
      const live = liveMesh?.clusters.get(one.cluster)?.cluster;
      return defined({
        ...one.result,
        certificates: rows(one.found, [one]),
        live: live && {...live, certificates: live.certificates.filter(isListed)},
      });
    }),
    forecast: forecasts(clusters, expiry, now),
    rootAgreement: [...agreementOfFiles(read), ...(liveMesh?.agreement ?? [])],
    missing: clusters.some(({result}) => result.outcome === 'skipped') ? missingHint(signer) : '',
    withoutCa: externalCaReason(signer) === undefined ? withoutCa.map(({cluster}) => cluster) : [],
    firstOutage: findFirstOutage(clusters, now),
    warnings: plan.warnings,
  });
}

/** How a cluster without CA files gets them, or why it needs none. */
function missingHint(signer: SignerSpec): Hint {
  const generate = kubectlMesh(signer.type === 'csr' ? 'certs request' : 'certs generate');
  return externalCaReason(signer) ?? advice`${generate}`;
}

function listed(found: readonly Found[], using: readonly Dependencies[], context: ExpiryContext): ListedCertificate[] {
  const used = new Set(using.flatMap(({certificates}) => certificates.map(({fingerprint}) => fingerprint)));
  return found.map(({certificate, role, place}) => {
    const inUse = used.has(certificate.fingerprint);
    return {role, file: place, inUse, ...summarizeCertificate(certificate, context.expiry, context.now)};
  });
}

type IsListed = (certificate: Pick<ListedCertificate, 'inUse' | 'notAfter'>) => boolean;

function isWithin(days: number | undefined, now: Date): IsListed {
  if (days === undefined) return () => true;
  const end = now.getTime() + days * dayMs;
  return ({inUse, notAfter}) => inUse && Date.parse(notAfter) <= end;
}

/**
 * The certificates that a cluster's workloads depend on: the live ones if known, since files that were not pushed, or
 * were overwritten by another push, affect no workload.
 */
function dependenciesOf(
  {found, certificates: fromFiles}: ClusterFiles,
  live: LiveClusterEntry | undefined,
  roots: readonly Found[],
): readonly Dependency[] {
  if (!live || live.dependsOn.length === 0) return fromFiles;
  // The file, if there is one, because renewal starts there; otherwise the object in the cluster.
  const files = new Map([...roots, ...found].map(({certificate, place}) => [certificate.fingerprint, place]));
  return live.dependsOn.map((one) => ({...one, place: files.get(one.fingerprint) ?? one.place}));
}

/** The first certificate in use to expire, and all clusters that depend on it. */
function findFirstOutage(clusters: readonly Dependencies[], now: Date): FirstOutage | undefined {
  const inUse = clusters.flatMap(({cluster, certificates}) => certificates.map((one) => ({...one, cluster})));
  const [first] = inUse.toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
  if (!first) return undefined;
  const affected = inUse.filter(({fingerprint}) => fingerprint === first.fingerprint);
  return {
    subject: first.subject,
    notAfter: first.notAfter.toISOString(),
    daysLeft: Math.floor((first.notAfter.getTime() - now.getTime()) / dayMs),
    file: first.place,
    clusters: [...new Set(affected.map(({cluster}) => cluster))],
  };
}

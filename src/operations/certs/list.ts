/** `certs list`: every certificate of the mesh, what ends first, and what is to be renewed when. Needs no keys. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, errorClasses} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {type Dependency, type Dependencies, type Forecast, forecasts} from '../../domain/monitoring/forecast.js';
import {type RootAgreement, agreementOfFiles} from '../../domain/monitoring/root-agreement.js';
import {externalCaReason} from '../../domain/mesh/signer.js';
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
import {type Context, type Found, readCluster, readRoots, type ReadCluster} from './list-files.js';
import type {LiveCluster, LiveMesh, LiveSight} from './list-live.js';
import type {Limits} from '../../domain/facts/limits.js';
import {dayMs} from '../../domain/time.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/x509/describe.js';

/** A certificate of the mesh. */
export interface ListedCertificate extends CertificateSummary {
  readonly role: CertificateRole;
  /** Relative to the work directory. */
  readonly file: string;
  /** Whether a workload's chain goes through it: what ends with it is an outage. */
  readonly inUse: boolean;
}

/** One cluster's certificates; `skipped` when it has none yet. */
export interface ListedCluster extends ClusterResult {
  readonly certificates: readonly ListedCertificate[];
  /** With `--live`: what was seen in the cluster itself. */
  readonly live?: LiveCluster;
}

/** What `certs list` is asked for. */
export interface ListRequest {
  readonly mesh: MeshRequest;
  /** `--live`: the clusters are asked, too. */
  readonly live?: {readonly limits: Limits};
  /** `--within`: list only what is in use and ends within these days. */
  readonly withinDays?: number;
  /** `--fail-on`: the least severity that is a finding. */
  readonly failOn?: Severity | undefined;
}

/** What stops first, unless it is renewed. `file`: or what of the cluster holds it, where only that has it. */
export interface FirstOutage extends Pick<ListedCertificate, 'subject' | 'file' | 'notAfter' | 'daysLeft'> {
  /** Clusters whose workloads stop. */
  readonly clusters: readonly string[];
}

/** What `certs list` answers. */
export interface ListResult {
  /** When it looked. ISO 8601, UTC. */
  readonly at: string;
  /** With `--within`: only what is in use and ends within these days is listed. */
  readonly withinDays?: number;
  readonly root: {readonly certificates: readonly ListedCertificate[]; readonly error?: ErrorReport};
  readonly clusters: readonly ListedCluster[];
  /** What is to be renewed when, the next one first; of clusters that have a CA. Never filtered. */
  readonly forecast: readonly Forecast[];
  /** Whether each cluster's CA stands under roots that every other cluster trusts, too. Never filtered. */
  readonly rootAgreement: readonly RootAgreement[];
  /** How a cluster without CA files gets them, or why it needs none. */
  readonly missing: Hint;
  /** Clusters that need CA files, and of which no CA is known, be it live. */
  readonly withoutCa: readonly string[];
  /** Absent when no cluster has a CA. */
  readonly firstOutage?: FirstOutage;
  readonly warnings: readonly Warning[];
}

interface Facts {
  readonly loaded: LoadedMesh;
  readonly rootText: string | undefined;
  readonly files: readonly {readonly name: string; readonly files: CaFiles}[];
  readonly now: Date;
  /** With `--live`. */
  readonly seen?: LiveMesh;
}

/** `certs list`. Nothing that is found changes the exit code unless `failOn` says so. */
export const listCerts = onePhase<ListRequest, ListResult, Facts>({
  command: 'certs list',
  changes: false,
  title: ({live}) => (live ? 'read the work directory and ask the clusters' : 'read the work directory'),
  gather,
  plan: ({loaded}) => ({...emptyPlan, warnings: asWarnings(loaded.notes)}),
  report,
  conclude: (result, {failOn}) => [
    ...errorsOf(result),
    ...(failOn && isFound(result, failOn) ? ['findings' as const] : []),
    // A pipeline that sees no certificate must not take that for one that lives long.
    ...(failOn && result.withoutCa.length > 0 ? ['NOT_FOUND' as const] : []),
  ],
});

function errorsOf({root, clusters}: ListResult): readonly Conclusion[] {
  return [
    ...[root.error, ...clusters.map(({error}) => error)].map((error) => error?.code ?? 'done'),
    // That asking failed is "could not tell", never "something was tried and failed".
    ...clusters.flatMap(({live}) =>
      (live?.problems ?? []).map(({code}) => (errorClasses[code] === 'failed' ? 'API_ERROR' : code)),
    ),
  ];
}

/** Whether something that workloads depend on has too little life left, or is not valid at all. */
function isFound(result: ListResult, failOn: Severity): boolean {
  const {root, clusters, withinDays} = result;
  const all = [
    ...root.certificates,
    ...clusters.flatMap(({certificates, live}) => [...certificates, ...(live?.certificates ?? [])]),
  ];
  return all.some(({inUse, state}) => {
    if (!inUse) return false;
    if (state !== 'ok' && state !== 'warning') return true;
    // Whoever says --within has said how early is early enough.
    return failOn === 'warning' && (state === 'warning' || withinDays !== undefined);
  });
}

async function gather(deps: Deps, {mesh, live}: ListRequest, {concurrency}: RunSettings): Promise<Facts> {
  const {workspace} = deps;
  const loaded = await loadMesh(deps, mesh);
  const [rootText, files, seen] = await Promise.all([
    workspace.readText(layout.rootCert),
    Promise.all(loaded.clusters.map(async ({name}) => ({name, files: await readCaFiles(workspace, name)}))),
    live && (await import('./list-live.js')).gatherLive(deps, loaded, live.limits, concurrency),
  ]);
  return defined({loaded, rootText, files, now: deps.now(), seen});
}

function report({facts, plan}: PhaseRun<Facts>, {withinDays}: ListRequest): ListResult {
  const {loaded, rootText, files, now, seen} = facts;
  const {expiry, signer} = loaded.mesh.trust;
  const root = readRoots(rootText);
  const read = files.map((one) => readCluster(one.name, one.files, root.found, now));
  const clusters = read.map((one): ReadCluster => {
    return {...one, certificates: dependenciesOf(one, seen?.sights.get(one.cluster), root.found)};
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
      const live = seen?.sights.get(one.cluster)?.cluster;
      return defined({
        ...one.result,
        certificates: rows(one.found, [one]),
        live: live && {...live, certificates: live.certificates.filter(isListed)},
      });
    }),
    forecast: forecasts(clusters, expiry, now),
    rootAgreement: [...agreementOfFiles(read), ...(seen?.agreement ?? [])],
    missing:
      externalCaReason(signer) ?? advice`${kubectlMesh(signer.type === 'csr' ? 'certs request' : 'certs generate')}`,
    withoutCa: externalCaReason(signer) === undefined ? withoutCa.map(({cluster}) => cluster) : [],
    firstOutage: findFirstOutage(clusters, now),
    warnings: plan.warnings,
  });
}

function listed(found: readonly Found[], using: readonly Dependencies[], {expiry, now}: Context): ListedCertificate[] {
  const used = new Set(using.flatMap(({certificates}) => certificates.map(({fingerprint}) => fingerprint)));
  return found.map(({certificate, role, place}) => {
    const inUse = used.has(certificate.fingerprint);
    return {role, file: place, inUse, ...summarizeCertificate(certificate, expiry, now)};
  });
}

type IsListed = (certificate: Pick<ListedCertificate, 'inUse' | 'notAfter'>) => boolean;

function isWithin(days: number | undefined, now: Date): IsListed {
  if (days === undefined) return () => true;
  const end = now.getTime() + days * dayMs;
  return ({inUse, notAfter}) => inUse && Date.parse(notAfter) <= end;
}

/**
 * What a cluster's workloads depend on is what runs, where it could be seen: files that were not pushed yet, or that were
 * pushed over by somebody else, end nothing.
 */
function dependenciesOf(
  {found, certificates: ofFiles}: ReadCluster,
  sight: LiveSight | undefined,
  roots: readonly Found[],
): readonly Dependency[] {
  if (!sight || sight.dependsOn.length === 0) return ofFiles;
  // A file is where a person begins; what no file has is named by what of the cluster has it.
  const files = new Map([...roots, ...found].map(({certificate, place}) => [certificate.fingerprint, place]));
  return sight.dependsOn.map((one) => ({...one, place: files.get(one.fingerprint) ?? one.place}));
}

/** The earliest end of what is in use, and every cluster that depends on it. */
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

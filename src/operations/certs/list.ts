/** `certs list`: every certificate of the mesh, what ends first, and what is to be renewed when. Needs no keys. */
import {type ErrorReport, errorClasses, reportError, asMeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshTrust} from '../../domain/mesh/mesh.js';
import {type Certificate, parseCertificates} from '../../domain/pki/certificate.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/pki/describe.js';
import type {ChainResult} from '../../domain/pki/chain.js';
import {orderUpward} from '../../domain/pki/chain.js';
import {inspectCaFiles} from '../../domain/pki/inspect-ca.js';
import type {CaFiles} from '../../domain/pki/ca-files.js';
import type {Dependencies, DependedOn, Forecast} from '../../domain/monitoring/forecast.js';
import {forecastOf} from '../../domain/monitoring/forecast.js';
import type {HeldTrust, RootAgreement} from '../../domain/monitoring/root-agreement.js';
import {agreementOfFiles} from '../../domain/monitoring/root-agreement.js';
import {madeElsewhere, type SignerSpec} from '../../domain/mesh/signer.js';
import type {CertificateRole} from '../../domain/monitoring/seen.js';
import type {Severity} from '../../domain/checks/check.js';
import type {TypedTarget} from '../../domain/checks/commands.js';
import type {Deps} from '../../engine/deps.js';
import {type Conclusion, emptyPlan, type Operation, type Warning} from '../../engine/operation.js';
import type {ClusterResult} from '../../engine/report.js';
import {type LoadedMesh, loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import {readCaFiles} from '../shared/read-ca-files.js';
import type {LiveCluster, LiveSight} from './list-live.js';

/** What `certs list` is asked for. */
export interface ListRequest {
  readonly mesh: MeshRequest;
  /** `--live`: the clusters are asked, too. */
  readonly live?: {
    /** `--no-secrets` */
    readonly noSecrets: boolean;
    /** For the commands in hints. */
    readonly typed: TypedTarget;
  };
  /** `--within`: list only what is in use and ends within these days. */
  readonly withinDays?: number;
}

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
  readonly missing: string;
  /** Clusters that need CA files, and of which no CA is known, be it live. */
  readonly withoutCa: readonly string[];
  /** Absent when no cluster has a CA. */
  readonly firstOutage?: FirstOutage;
  readonly warnings: readonly Warning[];
}

const dayMs = 86_400_000;

interface Facts {
  readonly loaded: LoadedMesh;
  readonly rootText: string | undefined;
  readonly files: readonly {readonly name: string; readonly files: CaFiles}[];
  readonly now: Date;
  /** With `--live`, by cluster. */
  readonly sights?: ReadonlyMap<string, LiveSight>;
}

/** The operation for one `--fail-on`; without it nothing that is found changes the exit code. */
export function listCerts(failOn?: Severity): Operation<ListRequest, ListResult> {
  return {
    command: 'certs list',
    changes: false,
    async execute(request, engine) {
      const {facts, plan} = await engine.run<Facts>({
        title: request.live ? 'read the work directory and ask the clusters' : 'read the work directory',
        gather: (deps) => gather(request, deps, engine.settings.concurrency),
        plan: ({loaded}) => ({...emptyPlan, warnings: loaded.notes.map((message) => ({message}))}),
      });
      return report(request, facts, plan.warnings);
    },
    conclude: (result) => [
      ...errorsOf(result),
      ...(failOn && isFound(result, failOn) ? ['findings' as const] : []),
      // A pipeline that sees no certificate must not take that for one that lives long.
      ...(failOn && result.withoutCa.length > 0 ? ['NOT_FOUND' as const] : []),
    ],
  };
}

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

async function gather({mesh, live}: ListRequest, deps: Deps, concurrency: number): Promise<Facts> {
  const {workspace} = deps;
  const loaded = await loadMesh(deps, mesh);
  const [rootText, files, sights] = await Promise.all([
    workspace.readText(layout.rootCert),
    Promise.all(loaded.clusters.map(async ({name}) => ({name, files: await readCaFiles(workspace, name)}))),
    live && (await import('./list-live.js')).gatherLive(deps, {mesh, ...live, concurrency}),
  ]);
  return {loaded, rootText, files, now: deps.now(), ...(sights && {sights})};
}

function report(
  {withinDays}: ListRequest,
  {loaded, rootText, files, now, sights}: Facts,
  warnings: readonly Warning[],
): ListResult {
  const context = {expiry: loaded.mesh.trust.expiry, now};
  const root = readRoots(rootText);
  const read = files.map((cluster) => readCluster(cluster.name, cluster.files, root.certificates, context));
  const declaredRoots = root.certificates.map((one) => listed(one, 'root', layout.rootCert, false, context));
  const clusters = read.map((cluster) => withLive(cluster, sights?.get(cluster.result.name), declaredRoots));
  const used = new Set(clusters.flatMap(({dependsOn}) => dependsOn.map(({fingerprint}) => fingerprint)));
  const rootRows = declaredRoots.map((one) => ({...one, inUse: used.has(one.fingerprint)}));
  const firstOutage = findFirstOutage(clusters, context);
  const isListed = isWithin(withinDays, now);
  const dependencies = clusters.map(({result, dependsOn}): Dependencies => ({
    cluster: result.name,
    certificates: dependsOn,
  }));
  const isMadeHere = madeElsewhere(loaded.mesh.trust.signer) === undefined;
  const withoutCa = clusters.filter(({result, dependsOn}) => result.outcome === 'skipped' && dependsOn.length === 0);
  return {
    at: now.toISOString(),
    ...(withinDays !== undefined && {withinDays}),
    root: {certificates: rootRows.filter(isListed), ...(root.error && {error: root.error})},
    clusters: clusters.map(({result}) => ({
      ...result,
      certificates: result.certificates.filter(isListed),
      ...(result.live && {live: {...result.live, certificates: result.live.certificates.filter(isListed)}}),
    })),
    forecast: forecastOf(dependencies, context.expiry, now),
    rootAgreement: [
      ...agreementOfFiles(read.map(({result, anchor, roots}) => ({cluster: result.name, anchor, roots}))),
      ...[...(sights?.values() ?? [])].flatMap(({agreement}) => agreement),
    ],
    missing: howToGet(loaded.mesh.trust.signer),
    withoutCa: isMadeHere ? withoutCa.map(({result}) => result.name) : [],
    ...(firstOutage && {firstOutage}),
    warnings,
  };
}

function howToGet(signer: SignerSpec): string {
  return madeElsewhere(signer) ?? `kubectl mesh certs ${signer.type === 'csr' ? 'request' : 'generate'}`;
}

function isWithin(
  days: number | undefined,
  now: Date,
): (certificate: {readonly inUse: boolean; readonly notAfter: string}) => boolean {
  if (days === undefined) return () => true;
  const end = now.getTime() + days * dayMs;
  return ({inUse, notAfter}) => inUse && Date.parse(notAfter) <= end;
}

/**
 * What a cluster's workloads depend on is what runs, where it could be seen: files that were not pushed yet, or that were
 * pushed over by somebody else, end nothing.
 */
function withLive(
  {result, dependsOn}: ReadCluster,
  sight: LiveSight | undefined,
  roots: readonly ListedCertificate[],
): ListedDependencies {
  if (!sight) return {result, dependsOn};
  const live = {...result, live: sight.cluster};
  if (sight.dependsOn.length === 0) return {result: live, dependsOn};
  const used = new Set(sight.dependsOn.map(({fingerprint}) => fingerprint));
  const certificates = result.certificates.map((one) => ({...one, inUse: used.has(one.fingerprint)}));
  // A file is where a person begins; what no file has is named by what of the cluster has it.
  const files = new Map([...roots, ...certificates].map(({fingerprint, file}) => [fingerprint, file]));
  return {
    result: {...live, certificates},
    dependsOn: sight.dependsOn.map((one) => ({...one, place: files.get(one.fingerprint) ?? one.place})),
  };
}

interface Context {
  readonly expiry: MeshTrust['expiry'];
  readonly now: Date;
}

function readRoots(text: string | undefined): {
  readonly certificates: readonly Certificate[];
  readonly error?: ErrorReport;
} {
  if (text === undefined) return {certificates: []};
  try {
    return {certificates: parseCertificates(text, layout.rootCert).certificates};
  } catch (thrown) {
    return {certificates: [], error: reportError(asMeshError(thrown))};
  }
}

interface ListedDependencies {
  readonly result: ListedCluster;
  /** The certificates that workloads of this cluster depend on. */
  readonly dependsOn: readonly DependedOn[];
}

interface ReadCluster extends ListedDependencies {
  readonly anchor: HeldTrust['anchor'];
  readonly roots: HeldTrust['roots'];
}

function readCluster(name: string, files: CaFiles, roots: readonly Certificate[], context: Context): ReadCluster {
  const paths = clusterLayout(name);
  if (files.caCert === undefined) {
    const result = {name, outcome: 'skipped', certificates: []} as const;
    return {result, dependsOn: [], anchor: undefined, roots: undefined};
  }
  // Without the key: the list must say the same where there are none.
  const inspection = inspectCaFiles({...files, caKey: undefined}, {now: context.now, keyMayBeMissing: true});
  const {certificate, verified, chain = [], caCerts = []} = inspection;
  const unreadable = inspection.findings.find(({id}) => id === 'unreadable');
  const error: ErrorReport | undefined = unreadable && {
    code: 'WORKDIR_CONFLICT',
    message: `${name}: ${unreadable.message}`,
    hints: [`kubectl mesh certs inspect ${name} shows what is in its files`],
  };
  // An expired link breaks verification; what depends on it depended on it before.
  const above = [...(inspection.roots ?? []), ...chain];
  const inUse = verified && 'chain' in verified ? verified.chain : certificate ? orderUpward(certificate, above) : [];
  const seen = new Set(roots.map(({fingerprint}) => fingerprint));
  const rows: ListedCertificate[] = [];
  const add = (
    certificates: readonly Certificate[],
    role: (one: Certificate) => CertificateRole,
    file: string,
  ): void => {
    for (const one of certificates) {
      if (seen.has(one.fingerprint)) continue;
      seen.add(one.fingerprint);
      rows.push(
        listed(
          one,
          role(one),
          file,
          inUse.includes(one) || inUse.some(({fingerprint}) => fingerprint === one.fingerprint),
          context,
        ),
      );
    }
  };
  add(caCerts, () => 'cluster CA', paths.caCert);
  add(chain, ({selfSigned}) => (selfSigned ? 'other root' : 'intermediate'), paths.certChain);
  add(inspection.roots ?? [], () => 'other root', paths.rootCert);
  return {
    result: {name, outcome: error ? 'failed' : 'done', certificates: rows, ...(error && {error})},
    dependsOn: inUse.map((one, index) => dependedOn(one, index, {name, rows, roots})),
    anchor: anchorOf(verified),
    roots: inspection.roots?.map(({fingerprint}) => fingerprint),
  };
}

function anchorOf(verified: ChainResult | undefined): string | undefined {
  if (!verified) return undefined;
  if ('chain' in verified) return verified.chain.at(-1)?.fingerprint;
  // That is an end, not another root.
  return verified.failure === 'expired' || verified.failure === 'not-yet-valid' ? undefined : 'none';
}

function dependedOn(
  {fingerprint, subject, notBefore, notAfter, selfSigned}: Certificate,
  index: number,
  {
    name,
    rows,
    roots,
  }: {readonly name: string; readonly rows: readonly ListedCertificate[]; readonly roots: readonly Certificate[]},
): DependedOn {
  const isMeshRoot = roots.some((root) => root.fingerprint === fingerprint);
  const row = rows.find((one) => one.fingerprint === fingerprint);
  const role = selfSigned ? 'root' : index === 0 ? 'cluster CA' : 'intermediate';
  const place = isMeshRoot ? layout.rootCert : (row?.file ?? clusterLayout(name).certChain);
  return {role, subject: subject.text, fingerprint, notBefore, notAfter, place};
}

function listed(
  certificate: Certificate,
  role: CertificateRole,
  file: string,
  inUse: boolean,
  {expiry, now}: Context,
): ListedCertificate {
  return {role, file, inUse, ...summarizeCertificate(certificate, expiry, now)};
}

/** The earliest end of what is in use, and every cluster that depends on it. */
function findFirstOutage(clusters: readonly ListedDependencies[], {now}: Context): FirstOutage | undefined {
  const inUse = clusters.flatMap(({dependsOn, result}) =>
    dependsOn.map((certificate) => ({certificate, cluster: result.name})),
  );
  const [first] = inUse.toSorted((a, b) => a.certificate.notAfter.getTime() - b.certificate.notAfter.getTime());
  if (!first) return undefined;
  const {subject, notAfter, place, fingerprint} = first.certificate;
  const affected = inUse.filter(({certificate}) => certificate.fingerprint === fingerprint);
  return {
    subject,
    notAfter: notAfter.toISOString(),
    daysLeft: Math.floor((notAfter.getTime() - now.getTime()) / dayMs),
    file: place,
    clusters: [...new Set(affected.map(({cluster}) => cluster))],
  };
}

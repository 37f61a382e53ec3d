/** `certs list`: every certificate of the mesh, and what ends first. Needs no keys. */
import {type ErrorReport, reportError, asMeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshTrust} from '../../domain/mesh/mesh.js';
import {type Certificate, parseCertificates} from '../../domain/pki/certificate.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/pki/describe.js';
import {inspectCaFiles} from '../../domain/pki/inspect-ca.js';
import type {CaFiles} from '../../domain/pki/ca-files.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, type Operation, type Warning} from '../../engine/operation.js';
import type {ClusterResult} from '../../engine/report.js';
import {type LoadedMesh, loadMesh} from '../shared/load-mesh.js';
import {readCaFiles} from '../shared/read-ca-files.js';

/** What `certs list` is asked for. */
export interface ListRequest {
  readonly clusters: readonly string[];
}

/** A certificate's part in the mesh. */
export type CertificateRole = 'root' | 'cluster CA' | 'intermediate' | 'other root';

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
}

/** What stops first, unless it is renewed. */
export interface FirstOutage extends Pick<ListedCertificate, 'subject' | 'file' | 'notAfter' | 'daysLeft'> {
  /** Clusters whose workloads stop. */
  readonly clusters: readonly string[];
}

/** What `certs list` answers. */
export interface ListResult {
  readonly root: {readonly certificates: readonly ListedCertificate[]; readonly error?: ErrorReport};
  readonly clusters: readonly ListedCluster[];
  /** Absent when no cluster has a CA. */
  readonly firstOutage?: FirstOutage;
  readonly warnings: readonly Warning[];
}

interface Facts {
  readonly loaded: LoadedMesh;
  readonly rootText: string | undefined;
  readonly files: readonly {readonly name: string; readonly files: CaFiles}[];
  readonly now: Date;
}

/** Lists. */
export const listCerts: Operation<ListRequest, ListResult> = {
  command: 'certs list',
  changes: false,
  async execute(request, engine) {
    const {facts} = await engine.run<Facts>({
      title: 'read the work directory',
      gather: (deps) => gather(request, deps),
      plan: () => emptyPlan,
    });
    return report(facts);
  },
  conclude: ({root, clusters}) =>
    [root.error, ...clusters.map(({error}) => error)].map((error) => error?.code ?? 'done'),
};

async function gather({clusters}: ListRequest, deps: Deps): Promise<Facts> {
  const {workspace} = deps;
  const loaded = await loadMesh(deps, {clusters});
  const [rootText, files] = await Promise.all([
    workspace.readText(layout.rootCert),
    Promise.all(loaded.clusters.map(async ({name}) => ({name, files: await readCaFiles(workspace, name)}))),
  ]);
  return {loaded, rootText, files, now: deps.now()};
}

function report({loaded, rootText, files, now}: Facts): ListResult {
  const context = {expiry: loaded.mesh.trust.expiry, now};
  const root = readRoots(rootText);
  const clusters = files.map((cluster) => readCluster(cluster.name, cluster.files, root.certificates, context));
  const used = new Set(clusters.flatMap(({chain}) => chain.map(({fingerprint}) => fingerprint)));
  const firstOutage = findFirstOutage(clusters, root.certificates, context);
  return {
    root: {
      certificates: root.certificates.map((certificate) =>
        listed(certificate, 'root', layout.rootCert, used.has(certificate.fingerprint), context),
      ),
      ...(root.error && {error: root.error}),
    },
    clusters: clusters.map(({result}) => result),
    ...(firstOutage && {firstOutage}),
    warnings: loaded.notes.map((message) => ({message})),
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

interface ReadCluster {
  readonly result: ListedCluster;
  /** The certificates that workloads of this cluster depend on, from its CA upward. */
  readonly chain: readonly Certificate[];
}

function readCluster(name: string, files: CaFiles, roots: readonly Certificate[], context: Context): ReadCluster {
  const paths = clusterLayout(name);
  if (files.caCert === undefined) return {result: {name, outcome: 'skipped', certificates: []}, chain: []};
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
  const inUse = verified && 'chain' in verified ? verified.chain : certificate ? [certificate] : [];
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
    chain: inUse,
  };
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

/** The earliest end of a CA in use, and every cluster that depends on it. */
function findFirstOutage(
  clusters: readonly ReadCluster[],
  roots: readonly Certificate[],
  context: Context,
): FirstOutage | undefined {
  const inUse = clusters.flatMap(({chain, result}) =>
    chain.map((certificate) => ({certificate, cluster: result.name})),
  );
  const [first] = [...inUse].sort((a, b) => a.certificate.notAfter.getTime() - b.certificate.notAfter.getTime());
  if (!first) return undefined;
  const {certificate} = first;
  const rows = clusters.flatMap(({result}) => result.certificates);
  const isRoot = roots.some(({fingerprint}) => fingerprint === certificate.fingerprint);
  const file = isRoot ? layout.rootCert : rows.find(({fingerprint}) => fingerprint === certificate.fingerprint)?.file;
  const {subject, notAfter, daysLeft} = summarizeCertificate(certificate, context.expiry, context.now);
  const affected = inUse.filter((one) => one.certificate.fingerprint === certificate.fingerprint);
  return {subject, notAfter, daysLeft, file: file ?? '', clusters: [...new Set(affected.map(({cluster}) => cluster))]};
}

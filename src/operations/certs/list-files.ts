/** What `certs list` learns from the files of the work directory. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, reportError, asMeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshTrust} from '../../domain/mesh/mesh.js';
import {type Certificate, parseCertificates} from '../../domain/x509/certificate.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/x509/describe.js';
import {type ChainResult, orderUpward} from '../../domain/x509/chain.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {DependedOn} from '../../domain/monitoring/forecast.js';
import type {HeldTrust} from '../../domain/monitoring/root-agreement.js';
import type {CertificateRole} from '../../domain/monitoring/metrics.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ClusterResult} from '../../engine/report.js';
import type {LiveCluster} from './list-live.js';

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

/** What a certificate is judged against. */
export interface Context {
  readonly expiry: MeshTrust['expiry'];
  readonly now: Date;
}

/** The mesh's own root-cert.pem. What cannot be read is in the answer. */
export function readRoots(text: string | undefined): {
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

/** A cluster's row, and what hangs on it. */
export interface ListedDependencies {
  readonly result: ListedCluster;
  /** The certificates that workloads of this cluster depend on. */
  readonly dependsOn: readonly DependedOn[];
}

/** The same, with what its files say of roots. */
export interface ReadCluster extends ListedDependencies {
  readonly anchor: HeldTrust['anchor'];
  readonly roots: HeldTrust['roots'];
}

/** The files of one cluster; `roots`: those of the mesh, which are listed once. */
export function readCluster(
  name: string,
  files: CaFiles,
  roots: readonly Certificate[],
  context: Context,
): ReadCluster {
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
    hints: [advice`${kubectlMesh('certs inspect', [name])} shows what is in its files`],
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
    result: defined({name, outcome: error ? 'failed' : 'done', certificates: rows, error}),
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

/** A row. */
export function listed(
  certificate: Certificate,
  role: CertificateRole,
  file: string,
  inUse: boolean,
  {expiry, now}: Context,
): ListedCertificate {
  return {role, file, inUse, ...summarizeCertificate(certificate, expiry, now)};
}

/** The certificates that `certs list` finds in the files of the work directory. Pure. */
import {defined} from '../../domain/defined.js';
import {asMeshError, type ErrorReport, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshTrust} from '../../domain/mesh/mesh.js';
import {type Certificate, parseCertificates} from '../../domain/x509/certificate.js';
import {type ChainResult, orderUpward} from '../../domain/x509/chain.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {Dependencies} from '../../domain/monitoring/forecast.js';
import type {StoredTrust} from '../../domain/monitoring/root-agreement.js';
import type {CertificateRole} from '../../domain/monitoring/metrics.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ClusterResult} from '../../engine/report.js';

/** The thresholds and the time by which expiry is rated. */
export interface ExpiryContext {
  readonly expiry: MeshTrust['expiry'];
  readonly now: Date;
}

/** A certificate and where it was found. */
export interface Found {
  readonly certificate: Certificate;
  readonly role: CertificateRole;
  readonly place: string;
}

/** Each certificate once, at the first place where it was found. */
export function distinctCertificates(found: readonly Found[]): readonly Found[] {
  const firsts = new Map(found.toReversed().map((one) => [one.certificate.fingerprint, one]));
  return found.filter((one) => firsts.get(one.certificate.fingerprint) === one);
}

/** The mesh's root-cert.pem. A read error is part of the result. */
export function readRoots(text: string | undefined): {readonly found: readonly Found[]; readonly error?: ErrorReport} {
  if (text === undefined) return {found: []};
  try {
    const {certificates} = parseCertificates(text, layout.rootCert);
    return {found: certificates.map((certificate) => ({certificate, role: 'root', place: layout.rootCert}))};
  } catch (thrown) {
    return {found: [], error: reportError(asMeshError(thrown))};
  }
}

/** The files of one cluster: its trust, and the certificates that its workloads depend on. */
export interface ClusterFiles extends Dependencies, StoredTrust {
  readonly result: ClusterResult;
  /** The cluster's certificates, without the mesh's roots. */
  readonly found: readonly Found[];
}

/** Reads the files of one cluster; `meshRoots`: the mesh's roots, which are listed only once. */
export function readCluster(name: string, files: CaFiles, meshRoots: readonly Found[], now: Date): ClusterFiles {
  const paths = clusterLayout(name);
  if (files.caCert === undefined) {
    const result = {name, outcome: 'skipped'} as const;
    return {cluster: name, result, found: [], certificates: [], anchor: undefined, roots: undefined};
  }
  // Without the key: the list must be the same in a work directory without keys.
  const inspection = inspectCaFiles({...files, caKey: undefined}, {now, keyMayBeMissing: true});
  const {certificate, verified, chain = [], caCerts = [], roots} = inspection;
  const unreadable = inspection.findings.find(({id}) => id === 'unreadable');
  const hint = advice`to see the contents of its files: ${kubectlMesh('certs inspect', [name])}`;
  const all = distinctCertificates([
    ...meshRoots,
    ...caCerts.map((one): Found => ({certificate: one, role: 'cluster CA', place: paths.caCert})),
    ...chain.map((one): Found => {
      return {certificate: one, role: one.selfSigned ? 'other root' : 'intermediate', place: paths.certChain};
    }),
    ...(roots ?? []).map((one): Found => ({certificate: one, role: 'other root', place: paths.rootCert})),
  ]);
  // An expired certificate breaks verification, but workloads still depend on its chain.
  const above = [...(roots ?? []), ...chain];
  const inUse = verified && 'chain' in verified ? verified.chain : certificate ? orderUpward(certificate, above) : [];
  return {
    cluster: name,
    result: defined({
      name,
      outcome: unreadable ? 'failed' : 'done',
      error: unreadable && problem('WORKDIR_CONFLICT', `${name}: ${unreadable.message}`, hint),
    }),
    found: all.filter((one) => !meshRoots.includes(one)),
    certificates: inUse.map(({subject, fingerprint, notBefore, notAfter, selfSigned}, index) => {
      const role = selfSigned ? 'root' : index === 0 ? 'cluster CA' : 'intermediate';
      const place = all.find((one) => one.certificate.fingerprint === fingerprint)?.place ?? paths.certChain;
      return {role, subject: subject.text, fingerprint, notBefore, notAfter, place};
    }),
    anchor: anchorOf(verified),
    roots: roots?.map(({fingerprint}) => fingerprint),
  };
}

function anchorOf(verified: ChainResult | undefined): string | undefined {
  if (!verified) return undefined;
  if ('chain' in verified) return verified.chain.at(-1)?.fingerprint;
  // The chain expired; that does not make its root a different one.
  return verified.failure === 'expired' || verified.failure === 'not-yet-valid' ? undefined : 'none';
}

/** Derives the facts of CA files and Secret cacerts from the result of `inspectCaFiles`. */
import {defined} from '../../defined.js';
import {caFileNames, caFileNamesOf, type CaFiles} from '../../ca/ca-files.js';
import type {Certificate} from '../../x509/certificate.js';
import {orderUpward} from '../../x509/chain.js';
import {crlProblem} from '../../x509/crl.js';
import type {CacertsSecret} from '../../trust/cacerts.js';
import {compareCa, type DesiredCa} from '../../trust/diff.js';
import type {CaInspection} from '../../ca/inspect-ca.js';
import type {CaFinding, CaFindingId} from '../../ca/istiod-rules.js';
import {attributeOf} from '../../x509/name.js';
import type {CacertsFacts, CertificateFacts, ClusterCaFacts, FaultReason, Problem} from '../facts.js';

/** Rules about the key, which have a separate check. */
const keyProblems: readonly string[] = ['several-keys', 'key-format'];
/** The other rules with a separate check: missing files, a published key, and an expiry after the root's. */
const coveredByOtherChecks: readonly string[] = [
  ...keyProblems,
  'incomplete',
  'published-key',
  'key-mismatch',
  'outlives-issuer',
];

/** The facts of CA files. */
export function clusterCaFacts(files: CaFiles, inspection: CaInspection): ClusterCaFacts {
  const names = caFileNamesOf(files);
  const isOfKey = (message: string): boolean => message.startsWith(names.caKey);
  const problems = inspection.findings
    .filter(({id, message}) => !coveredByOtherChecks.includes(id) && !(id === 'unreadable' && isOfKey(message)))
    .map((one): Problem => ({severity: one.severity, message: one.message, reason: reasonOf(one)}));
  const ofKey = inspection.findings.find(
    ({id, message}) => keyProblems.includes(id) || (id === 'unreadable' && isOfKey(message)),
  );
  const keyProblem = ofKey?.message;
  const isEncrypted = inspection.key?.encryption !== undefined;
  const {certificate, verified} = inspection;
  const between = intermediatesOf(inspection);
  return defined({
    missing: (Object.keys(caFileNames) as (keyof typeof caFileNames)[])
      .filter((part) => files[part] === undefined)
      .map((part) => names[part]),
    problems,
    key: keyState(files, inspection, keyProblem),
    keyProblem,
    keyReason: ofKey && (isEncrypted ? 'encrypted key' : reasonOf(ofKey)),
    certificate: certificate && certificateFacts(certificate),
    roots: (inspection.roots ?? []).map(certificateFacts),
    between: between.length > 0 ? between.map(certificateFacts) : undefined,
    anchor: verified && 'chain' in verified ? verified.chain.at(-1)?.fingerprint : undefined,
  });
}

/** What is at fault by a finding's id, where neither `certs rewrite` resolves it nor a certificate is known to be at fault. */
const reasonsById: Readonly<Partial<Record<CaFindingId, FaultReason>>> = {
  'root-expired': 'expired root',
  // The chains that proxies can build, and their size, depend on the roots and the CAs between.
  'other-chain': {above: undefined},
  'chain-too-large': {above: undefined},
  // A chain with several paths to roots has no order; proxies find their way in any.
  'chain-order': 'nothing',
};

/** What is at fault, by a finding. */
export function reasonOf({id, above, isOfForm}: Pick<CaFinding, 'id' | 'above' | 'isOfForm'>): FaultReason {
  if (isOfForm === true) return 'form';
  if (above !== undefined) return {above};
  return reasonsById[id] ?? 'cluster CA';
}

/** Also if the chain does not verify, for example because one of them has expired. */
function intermediatesOf({certificate, chain = [], roots = []}: CaInspection): readonly Certificate[] {
  if (!certificate) return [];
  const isRoot = ({fingerprint}: Certificate): boolean => roots.some((root) => root.fingerprint === fingerprint);
  return orderUpward(certificate, [...roots, ...chain])
    .slice(1)
    .filter((one) => !isRoot(one) && !one.selfSigned);
}

/** The facts of a certificate. */
export function certificateFacts(certificate: Certificate): CertificateFacts {
  const {fingerprint, spki, subject, issuer, serial, notBefore, notAfter} = certificate;
  const locality = attributeOf(subject, 'L');
  return defined({
    ...{fingerprint, spki, subject: subject.text, locality, issuer: issuer.text, serial},
    ...{notBefore, notAfter},
  });
}

/** The facts of Secret cacerts, compared with the cluster CA in the work directory. */
export function cacertsFacts(secret: CacertsSecret, own: DesiredCa): CacertsFacts {
  const {data, files, inspection, managedBy} = secret;
  const {caCerts, chain, roots, verified} = inspection;
  const {layout = 'pem', crl = ''} = files;
  const problem = crlProblem(crl, chain ?? []);
  return {
    ...clusterCaFacts(files, inspection),
    name: secret.name,
    // Missing files are a separate finding; there is nothing to compare with then.
    differences: own.inspection.certificate === undefined ? [] : compareCa(own, secret),
    keys: Object.keys(data),
    layout,
    ...(managedBy !== undefined && {managedBy}),
    chain: (chain ?? []).map(({subject, selfSigned}) => ({subject: subject.text, selfSigned})),
    ...(crl !== '' && {crl: {problem, isPushed: (own.files.crl ?? '') !== ''}}),
    inspection: defined({caCerts, chain, roots, verified}),
  };
}

function keyState(
  files: CaFiles,
  {key, certificate}: CaInspection,
  problem: string | undefined,
): ClusterCaFacts['key'] {
  if (files.caKey === undefined) return 'absent';
  if (problem !== undefined || key?.spki === undefined) return 'unusable';
  // Without a certificate to compare with, the finding is the missing certificate.
  return certificate === undefined || key.spki === certificate.spki ? 'matches' : 'different';
}

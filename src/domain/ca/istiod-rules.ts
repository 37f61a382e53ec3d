/**
 * What istiod says of a cluster's CA files, and what it does not say but what hurts later. What is wrong with a certificate
 * in its chain is judged by {@link firstFault}. Sources: istio/istio pilot/pkg/bootstrap/istio_ca.go,
 * security/pkg/pki/ca/ca.go, security/pkg/pki/util/{keycertbundle,crypto}.go.
 */
import {formatMinute} from '../format.js';
import {type Feature, hasFeature} from '../istio/features.js';
import {parseVersion} from '../istio/version.js';
import type {Certificate} from '../x509/certificate.js';
import type {CaFiles, caFileNamesOf} from './ca-files.js';
import {type ChainFaultId, type ChainPurpose, firstFault} from './chain-faults.js';
import {isAmong} from './trust-store.js';
import type {ChainResult} from '../x509/chain.js';
import type {PrivateKeyFacts} from '../keys/private-key.js';
import {dayMs} from '../time.js';

/** CA files, parsed. What could not be read is absent, and has a finding of its own. */
export interface ParsedCa {
  /** The CA that istiod signs with: the first certificate of ca-cert.pem, the only one it looks at. */
  readonly certificate?: Certificate;
  readonly caCerts?: readonly Certificate[];
  /** Every certificate of root-cert.pem, in its order. */
  readonly roots?: readonly Certificate[];
  /** Every certificate of cert-chain.pem, in its order. */
  readonly chain?: readonly Certificate[];
  readonly key?: PrivateKeyFacts;
  /** Absent when certificate or roots could not be read. */
  readonly verified?: ChainResult;
}

/** What the rules judge. */
interface Judged extends ParsedCa, ChainPurpose {
  readonly files: CaFiles;
  readonly names: ReturnType<typeof caFileNamesOf>;
  /** `1.30` or `1.30.3`; absent: judged like the newest. */
  readonly istioVersion?: string | undefined;
  readonly keyMayBeMissing: boolean;
}

/** One thing that is wrong with CA files. */
export interface CaFinding {
  /** A rule's id, or `unreadable`. Stable: stands in JSON. */
  readonly id: string;
  readonly severity: 'error' | 'warning';
  /**
   * `refused`: istiod does not start with these files, or keeps the old ones. `silent`: it loads them without a word and
   * something breaks later.
   */
  readonly effect: 'refused' | 'silent';
  readonly message: string;
}

/** A rule of the registry; its check says what is wrong, in one sentence, when it is broken. */
interface CaRule extends Omit<CaFinding, 'message'> {
  readonly check: (judged: Judged) => string | false | undefined;
}

const refused = (id: string, check: CaRule['check']): CaRule => ({id, severity: 'error', effect: 'refused', check});
const silent = (id: string, check: CaRule['check']): CaRule => ({id, severity: 'error', effect: 'silent', check});
const warning = (id: string, check: CaRule['check']): CaRule => ({id, severity: 'warning', effect: 'silent', check});

/** Every rule; those that istiod applies itself first. */
export const caRules: readonly CaRule[] = [
  refused('incomplete', ({files, names, keyMayBeMissing, istioVersion}) => {
    const parts =
      files.layout === 'tls'
        ? (['caKey', 'rootCert'] as const)
        : (['caCert', 'caKey', 'rootCert', 'certChain'] as const);
    const missing = parts.filter((part) => files[part] === undefined && !(part === 'caKey' && keyMayBeMissing));
    if (missing.length === 0) return undefined;
    const list = missing.map((part) => names[part]).join(', ');
    return lacks(istioVersion, 'incompleteCacertsRefused') && files.caKey === undefined
      ? `${list} missing: istiod ${istioVersion ?? ''} goes self-signed without a word when the key is not there`
      : `${list} missing: istiod stops with "incomplete signing CA bundle detected"`;
  }),
  refused(
    'tls-layout-unknown',
    ({files, istioVersion}) =>
      files.layout === 'tls' &&
      lacks(istioVersion, 'tlsCacerts') &&
      `istiod ${istioVersion ?? ''} does not read tls.crt, tls.key and ca.crt (1.14.2 does)`,
  ),
  refused('key-format', ({key, names}) => key?.refusal !== undefined && `${names.caKey}: ${key.refusal}`),
  refused(
    'key-mismatch',
    ({certificate: ca, key, names}) =>
      ca &&
      key?.spki !== undefined &&
      key.spki !== ca.spki &&
      `${names.caKey} is not the key of ${names.caCert} ("${ca.subject.text}")`,
  ),
  refused(
    'not-trusted',
    ({verified, names}) =>
      verified &&
      'failure' in verified &&
      `${names.caCert} does not verify against ${names.rootCert}: ${verified.message}`,
  ),
  refused(
    'not-a-ca',
    ({certificate: ca}) =>
      ca &&
      !isCa(ca) &&
      `"${ca.subject.text}" is not a CA: istiod stops with "not authorized to sign other certificates"`,
  ),
  refused('chain-expired', ({chain: [first] = [], now}) => {
    const ended = first && first.notAfter <= now;
    return (
      ended && `the first certificate of the chain, "${first.subject.text}", expired on ${formatMinute(first.notAfter)}`
    );
  }),
  silent('no-cert-sign', (judged) => isCa(judged.certificate) && ofSigner('no-cert-sign', judged)),
  silent(
    'chain-empty',
    ({chain, names}) =>
      chain?.length === 0 &&
      `${names.certChain} is empty: workloads present no chain, so other clusters cannot verify them`,
  ),
  silent(
    'chain-without-ca',
    ({certificate: ca, chain = [], names}) =>
      ca &&
      chain.length > 0 &&
      !isAmong(ca, chain) &&
      `${names.certChain} does not hold the cluster CA "${ca.subject.text}": workloads present a chain that does not fit`,
  ),
  silent('chain-order', ({certificate: ca, chain = [], names}) => {
    if (!ca || !isAmong(ca, chain)) return undefined;
    const upward = chain.every((certificate, index) => {
      const parent = chain[index + 1];
      return !parent || certificate.signedBy(parent.publicKey);
    });
    return (
      !(upward && chain[0]?.fingerprint === ca.fingerprint) &&
      `${names.certChain} is in the wrong order: the cluster CA comes first, then intermediates upward, the root last`
    );
  }),
  silent('chain-open', (judged) => {
    const {chain, roots = [], names} = judged;
    const last = verifiedOf(judged) && chain?.at(-1);
    return (
      last &&
      !isAmong(last, roots) &&
      !roots.some(({publicKey}) => last.signedBy(publicKey)) &&
      `${names.certChain} ends at "${last.subject.text}", which no certificate of ${names.rootCert} signed`
    );
  }),
  // What is no CA at all says so once; the rules about what a CA's workloads need add nothing.
  silent('path-length', (judged) => isCa(judged.certificate) && inChain(['path-length'], judged)),
  silent('no-client-auth', (judged) => inChain(['no-server-auth', 'no-client-auth'], judged)),
  silent('name-constraints', (judged) => inChain(['workload-names'], judged)),
  silent('subject-names', (judged) => inChain(['subject-names'], judged)),
  silent('serving-names', (judged) => inChain(['serving-names'], judged)),
  silent('authority-key', (judged) => inChain(['authority-key'], judged)),
  silent('weak-key', (judged) => ofSigner('weak-key', judged)),
  warning('unusual-key', (judged) => ofSigner('unsupported-key', judged)),
  warning(
    'several-ca-certs',
    ({caCerts = [], names}) =>
      caCerts.length > 1 &&
      `${names.caCert} holds ${String(caCerts.length)} certificates; istiod signs with the first and ignores the rest`,
  ),
  // Istio's Makefile gives both the same number of days, the cluster CA seconds later: a day is no mistake.
  warning('outlives-issuer', (judged) => {
    const outliving = verifiedOf(judged)?.find(({notAfter}, index, chain) => {
      const issuer = chain[index + 1];
      return issuer && notAfter.getTime() > issuer.notAfter.getTime() + dayMs;
    });
    return outliving && `"${outliving.subject.text}" outlives its issuer: it ends when the issuer does`;
  }),
  warning('root-expired', ({roots = [], now}) => {
    const expired = roots.length > 1 && roots.find(({notAfter}) => notAfter <= now);
    return (
      expired &&
      `the bundle still holds the root "${expired.subject.text}", expired on ${formatMinute(expired.notAfter)}`
    );
  }),
  warning('root-name-twice', ({roots = []}) => {
    const twin = roots.find((root, index) =>
      roots.slice(0, index).some((other) => other.subject.der.equals(root.subject.der) && other.spki !== root.spki),
    );
    return (
      twin &&
      `two roots of the bundle have the name "${twin.subject.text}": verifiers that look up by name take the wrong one`
    );
  }),
  warning('root-not-self-signed', ({roots = []}) => {
    const foreign = roots.find(({selfSigned}) => !selfSigned);
    return foreign && `"${foreign.subject.text}" stands among the roots, but is not self-signed`;
  }),
  warning(
    'signs-with-root',
    ({certificate: ca, roots = []}) =>
      ca &&
      roots.some(({spki}) => spki === ca.spki) &&
      `the cluster signs with the root's own key ("${ca.subject.text}"): whoever reads its Secrets owns the mesh`,
  ),
];

function isCa(certificate: Certificate | undefined): boolean {
  return certificate?.extensions.basicConstraints?.ca === true;
}

function verifiedOf({verified}: ParsedCa): readonly Certificate[] | undefined {
  return verified && 'chain' in verified ? verified.chain : undefined;
}

/** The first fault of these kinds in the chain to a root, where there is one. */
function inChain(ids: readonly ChainFaultId[], judged: Judged): string | undefined {
  return firstFault(ids, verifiedOf(judged) ?? [], judged);
}

/** The fault of the cluster CA itself. */
function ofSigner(id: ChainFaultId, judged: Judged): string | undefined {
  return judged.certificate && firstFault([id], [judged.certificate], judged);
}

/** Whether a version is known not to have something; `1.26` alone counts as its newest patch. */
function lacks(version: string | undefined, feature: Feature): boolean {
  const parsed = version === undefined ? undefined : parseVersion(version);
  return parsed !== undefined && !hasFeature(parsed, feature);
}

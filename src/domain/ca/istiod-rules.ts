/**
 * The rules for a cluster's CA files: those that istiod applies, and those that it does not apply although violations break
 * the mesh later. {@link firstFault} checks the certificates of a chain. Sources: istio/istio pilot/pkg/bootstrap/istio_ca.go,
 * security/pkg/pki/ca/ca.go, security/pkg/pki/util/{keycertbundle,crypto}.go.
 */
import {defined} from '../defined.js';
import {formatMinute} from '../format.js';
import {type Feature, hasFeature} from '../istio/features.js';
import {parseVersion} from '../istio/version.js';
import type {Certificate} from '../x509/certificate.js';
import {type CaFiles, type caFileNamesOf, publicFilesOf} from './ca-files.js';
import {containsKey, embeddedKeys} from '../keys/embedded-keys.js';
import {type ChainFaultId, type ChainPurpose, firstFault} from './chain-faults.js';
import {otherChainRefusal} from './other-chains.js';
import {isAmong} from './trust-store.js';
import type {ChainResult} from '../x509/chain.js';
import type {Issued} from '../x509/proxy-chains.js';
import {spkiHash} from '../keys/keys.js';
import type {PrivateKeyFacts} from '../keys/private-key.js';
import {dayMs} from '../time.js';

/** Parsed CA files. Unreadable files are absent, and have a separate finding. */
export interface ParsedCa {
  /** The CA that istiod signs with: the first certificate in ca-cert.pem, the only one that it reads. */
  readonly certificate?: Certificate;
  readonly caCerts?: readonly Certificate[];
  /** Every certificate in root-cert.pem, in order. */
  readonly roots?: readonly Certificate[];
  /** Every certificate in cert-chain.pem, in order. */
  readonly chain?: readonly Certificate[];
  readonly key?: PrivateKeyFacts;
  /** Absent if the certificate or the roots cannot be read. */
  readonly verified?: ChainResult;
}

/** The input of the rules. */
interface RuleInput extends ParsedCa, ChainPurpose {
  readonly files: CaFiles;
  readonly names: ReturnType<typeof caFileNamesOf>;
  /** `1.30` or `1.30.3`; default: the newest. */
  readonly istioVersion?: string | undefined;
  readonly keyMayBeMissing: boolean;
}

/** A violation of a rule. */
export interface CaFinding {
  /** A rule's id, `unreadable`, or `unproven`. Stable: it appears in JSON. */
  readonly id: CaFindingId;
  /** `unknown`: this program does not understand the input well enough to say what istiod and proxies do with it. */
  readonly severity: 'error' | 'warning' | 'unknown';
  /**
   * `refused`: istiod does not start with these files, or keeps the previous ones. `silent`: it loads them without a
   * warning, and something breaks later. `unproven`: unknown.
   */
  readonly effect: 'refused' | 'silent' | 'unproven';
  readonly message: string;
  /** SHA-256 of the certificate above the cluster CA that is at fault. Absent: the cluster CA, a file, or unknown. */
  readonly above?: string;
  /** Whether `certs rewrite` resolves it (`inspectFiles`). Absent: no, or not examined. */
  readonly isOfForm?: boolean;
}

/** Whether a finding is a reason not to use the files: an error, or not proven to be none. */
export function isBlocking({severity}: Pick<CaFinding, 'severity'>): boolean {
  return severity !== 'warning';
}

/** What a rule reports, and the certificate at fault if it is known. */
export type Violation = Pick<CaFinding, 'message'> & {readonly certificate?: Certificate | undefined};

/** A rule; its check returns a violation, or only its message, if the files violate it. */
interface CaRule<Id extends string> extends Pick<CaFinding, 'severity' | 'effect'> {
  readonly id: Id;
  readonly check: (input: RuleInput) => string | false | undefined | Violation;
}

type Check = CaRule<string>['check'];

const ruleOf =
  (severity: CaFinding['severity'], effect: CaFinding['effect']) =>
  <const Id extends string>(id: Id, check: Check): CaRule<Id> => ({id, severity, effect, check});

const refused = ruleOf('error', 'refused');
const silent = ruleOf('error', 'silent');
const warning = ruleOf('warning', 'silent');
const unproven = ruleOf('unknown', 'unproven');

/** BoringSSL's limit for a message with certificates (ssl.h, SSL_MAX_CERT_LIST_DEFAULT), which Envoy does not change. */
const maxMessageSize = 100 * 1024;
/** More than the workload's own certificate and the lengths between the certificates take. */
const leafSize = 4096;

/** The ids of findings about private keys, which no flag overrides. */
export const keyRules: readonly string[] = ['published-key', 'several-keys', 'key-format', 'key-mismatch'];

/** Every rule; first the compromised keys, then the rules that istiod itself applies. */
export const caRules = [
  silent('published-key', ({files}) => publishedKeyProblem(files)),
  // istiod reads the first block only.
  silent(
    'several-keys',
    ({files: {caKey}, names}) =>
      caKey &&
      embeddedKeys(caKey).length > 1 &&
      `${names.caKey} contains more than one private key: it must contain the key of ${names.caCert} and nothing else`,
  ),
  refused('incomplete', ({files, names, keyMayBeMissing, istioVersion}) => {
    const parts =
      files.layout === 'tls'
        ? (['caKey', 'rootCert'] as const)
        : (['caCert', 'caKey', 'rootCert', 'certChain'] as const);
    const missing = parts.filter((part) => files[part] === undefined && !(part === 'caKey' && keyMayBeMissing));
    if (missing.length === 0) return undefined;
    const list = missing.map((part) => names[part]).join(', ');
    return lacks(istioVersion, 'incompleteCacertsRefused') && files.caKey === undefined
      ? `${list} missing: istiod ${istioVersion ?? ''} silently uses a self-signed CA if the key is missing`
      : `${list} missing: istiod stops with "incomplete signing CA bundle detected"`;
  }),
  refused(
    'tls-layout-unknown',
    ({files, istioVersion}) =>
      files.layout === 'tls' &&
      lacks(istioVersion, 'tlsCacerts') &&
      `istiod ${istioVersion ?? ''} does not read tls.crt, tls.key and ca.crt: requires 1.14.2 or later`,
  ),
  refused('key-format', ({key, names}) => key?.refusal !== undefined && `${names.caKey}: ${key.refusal}`),
  // Go 1.24 and later sign with no smaller RSA key (crypto/rsa, rsa1024min).
  refused(
    'insecure-key',
    ({certificate: ca}) =>
      ca?.key.bits !== undefined &&
      ca.key.bits < 1024 &&
      `the key of "${ca.subject.text}" is ${ca.key.name}: istiod cannot sign with it`,
  ),
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
      'failure' in verified && {
        message: `${names.caCert} does not verify against ${names.rootCert}: ${verified.message}`,
        certificate: verified.certificate,
      },
  ),
  // The trust bundle of ISTIO_MULTIROOT_MESH (istio/istio pilot/pkg/trustbundle/trustbundle.go, verifyTrustAnchor).
  refused(
    'root-not-a-ca',
    ({roots: [first] = []}) =>
      first &&
      !isCa(first) && {
        message: `the first root, "${first.subject.text}", has no basic constraints with CA:TRUE: with ISTIO_MULTIROOT_MESH, istiod does not start`,
        certificate: first,
      },
  ),
  refused(
    'not-a-ca',
    ({certificate: ca}) =>
      ca &&
      !isCa(ca) &&
      `"${ca.subject.text}" is not a CA: istiod stops with "not authorized to sign other certificates"`,
  ),
  refused('chain-expired', ({chain: [first] = [], now}) => {
    const expired = first && first.notAfter <= now;
    return (
      expired &&
      `the first certificate of the chain, "${first.subject.text}", expired on ${formatMinute(first.notAfter)}`
    );
  }),
  silent('no-cert-sign', (input) => isCa(input.certificate) && caFault('no-cert-sign', input)),
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
      `${names.certChain} does not contain the cluster CA "${ca.subject.text}": workloads present a chain that does not match`,
  ),
  // istiod and proxies find the issuers in any order (BoringSSL x509_vfy.cc, build_chain).
  warning('chain-order', ({certificate: ca, chain = [], names}) => {
    if (!ca || !isAmong(ca, chain)) return undefined;
    const upward = chain.every((certificate, index) => {
      const parent = chain[index + 1];
      return !parent || certificate.signedBy(parent.publicKey);
    });
    return (
      !(upward && chain[0]?.fingerprint === ca.fingerprint) &&
      `${names.certChain} is in the wrong order: must be the cluster CA, then intermediates upward, the root last`
    );
  }),
  warning('chain-open', (input) => {
    const {chain, roots = [], names} = input;
    const last = verifiedOf(input) && chain?.at(-1);
    return (
      last &&
      !isAmong(last, roots) &&
      !roots.some(({publicKey}) => last.signedBy(publicKey)) &&
      `${names.certChain} ends at "${last.subject.text}", which no certificate of ${names.rootCert} signed`
    );
  }),
  // A certificate that is not a CA has one finding for that; the rules for its workloads would add nothing.
  silent('path-length', (input) => isCa(input.certificate) && chainFault(['path-length'], input)),
  silent('no-client-auth', (input) => chainFault(['no-server-auth', 'no-client-auth'], input)),
  silent('name-constraints', (input) => chainFault(['workload-names'], input)),
  silent('subject-names', (input) => chainFault(['subject-names'], input)),
  silent('ca-names', (input) => chainFault(['ca-names'], input)),
  unproven('ca-names-unproven', (input) => chainFault(['ca-names-unproven'], input)),
  silent('serving-names', (input) => chainFault(['serving-names'], input)),
  silent('authority-key', (input) => chainFault(['authority-key'], input)),
  silent('proxy-extension', (input) => chainFault(['proxy-extension'], input)),
  silent('other-chain', otherChain),
  silent('chain-too-large', ({chain = [], roots = []}) => {
    const size = [...chain, ...roots].reduce((sum, {der}) => sum + der.length, leafSize);
    return (
      size > maxMessageSize &&
      `the chain and the roots, which workloads present, have ${String(size)} bytes: proxies refuse more than ${String(maxMessageSize)}`
    );
  }),
  refused('required-policy', (input) => chainFault(['required-policy'], input)),
  silent('weak-key', (input) => chainFault(['weak-key'], input) ?? caFault('weak-key', input)),
  warning('unusual-key', (input) => caFault('unsupported-key', input)),
  warning(
    'several-ca-certs',
    ({caCerts = [], files, names}) =>
      // tls.crt is the chain, of which istiod also sends the others (istio/istio pilot/pkg/bootstrap/istio_ca.go).
      files.layout !== 'tls' &&
      caCerts.length > 1 &&
      `${names.caCert} contains ${String(caCerts.length)} certificates: istiod signs with the first and ignores the others`,
  ),
  // Istio's Makefile issues both for the same number of days, the cluster CA seconds later: a day is tolerated.
  warning('outlives-issuer', (input) => {
    const outliving = verifiedOf(input)?.find(({notAfter}, index, chain) => {
      const issuer = chain[index + 1];
      return issuer && notAfter.getTime() > issuer.notAfter.getTime() + dayMs;
    });
    return (
      outliving && {
        message: `"${outliving.subject.text}" outlives its issuer: it is only valid until the issuer expires`,
        certificate: outliving,
      }
    );
  }),
  warning('root-expired', ({roots = [], now}) => {
    const expired = roots.length > 1 && roots.find(({notAfter}) => notAfter <= now);
    return (
      expired &&
      `the bundle still contains the root "${expired.subject.text}", which expired on ${formatMinute(expired.notAfter)}`
    );
  }),
  warning('root-name-twice', ({roots = []}) => {
    const twin = roots.find((root, index) =>
      roots.slice(0, index).some((other) => other.subject.der.equals(root.subject.der) && other.spki !== root.spki),
    );
    return (
      twin && {
        message: `two roots in the bundle have the name "${twin.subject.text}": verifiers that look up by name can use the wrong one`,
        certificate: twin,
      }
    );
  }),
  warning('root-not-self-signed', ({roots = []}) => {
    const foreign = roots.find(({selfSigned}) => !selfSigned);
    return (
      foreign && {
        message: `"${foreign.subject.text}" is among the roots, but is not self-signed`,
        certificate: foreign,
      }
    );
  }),
  warning(
    'signs-with-root',
    ({certificate: ca, roots = []}) =>
      ca &&
      roots.some(({spki}) => spki === ca.spki) &&
      `the cluster signs with the root's own key ("${ca.subject.text}"): anyone who can read its Secrets controls the mesh`,
  ),
] as const;

/** The id of a rule. */
export type CaRuleId = (typeof caRules)[number]['id'];

/** The id of a finding: a rule's, or that of a text that cannot be read, or is not understood well enough. */
export type CaFindingId = CaRuleId | 'unreadable' | 'unproven';

/** Which published files contain a private key in any form, also as a comment; undefined if none does. */
export function publishedKeyProblem(files: CaFiles): string | undefined {
  const published = publicFilesOf(files).flatMap(([name, text]) => (containsKey(text) ? [name] : []));
  if (published.length === 0) return undefined;
  return `${published.join(' and ')} ${published.length === 1 ? 'contains' : 'contain'} a private key: the file is public, so the key is compromised`;
}

function isCa(certificate: Certificate | undefined): boolean {
  return certificate?.extensions.basicConstraints?.ca === true;
}

function verifiedOf({verified}: ParsedCa): readonly Certificate[] | undefined {
  return verified && 'chain' in verified ? verified.chain : undefined;
}

/** The first fault of these kinds in the verified chain to a root. */
function chainFault(ids: readonly ChainFaultId[], input: RuleInput): Violation | undefined {
  return firstFault(ids, verifiedOf(input) ?? [], input);
}

/** Whether proxies can build another chain from a workload's certificate than istiod, and refuse that one. */
function otherChain(input: RuleInput): string | false | undefined {
  const {certificate: ca, chain = [], roots = []} = input;
  const verified = verifiedOf(input);
  // The workload gets cert-chain.pem and root-cert.pem with its certificate, and presents both (istio/istio
  // security/pkg/server/ca/server.go, CreateCertificate; security/pkg/nodeagent/cache/secretcache.go).
  const presented = [...chain, ...roots];
  return ca && verified && otherChainRefusal(issuedBy(ca), verified, {roots, presented}, input);
}

/**
 * A workload's certificate as istiod issues it: without a subject. If the issuer has none either, Go's
 * x509.CreateCertificate takes it for self-signed, and omits the authority key identifier.
 */
function issuedBy({subject, spki, extensions: {subjectKeyId}}: Certificate): Issued {
  const authorityKeyId = subject.attributes.length === 0 ? undefined : subjectKeyId;
  return {
    issuer: subject,
    extensions: defined({authorityKeyId, critical: []}),
    signedBy: (key) => spkiHash(key) === spki,
  };
}

/** The fault of this kind in the cluster CA itself. */
function caFault(id: ChainFaultId, input: RuleInput): Violation | undefined {
  return input.certificate && firstFault([id], [input.certificate], input);
}

/** Whether a known version lacks a feature; `1.26` without a patch counts as its newest patch. */
export function lacks(version: string | undefined, feature: Feature): boolean {
  const parsed = version === undefined ? undefined : parseVersion(version);
  return parsed !== undefined && !hasFeature(parsed, feature);
}

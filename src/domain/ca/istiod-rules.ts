/**
 * What istiod says of a cluster's CA files, and what it does not say but what hurts later. One rule, one small function,
 * one line in {@link caRules}. Sources: istio/istio pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go,
 * security/pkg/pki/util/{keycertbundle,crypto}.go.
 */
import {type Feature, hasFeature} from '../istio/features.js';
import {parseVersion} from '../istio/version.js';
import type {Certificate} from '../x509/certificate.js';
import {type CaFiles, caFileNamesOf} from './ca-files.js';
import {namesUsage, type ChainResult, exceedsPathLength} from '../x509/chain.js';
import {firstForbiddenName, firstForbiddenSubject, forbidsTrustDomain} from '../x509/name-constraints.js';
import type {PrivateKeyFacts} from '../keys/private-key.js';
import {dayMs} from '../time.js';

/** The parsed files that the rules judge. What could not be read is absent, and has a finding of its own. */
export interface ParsedCaFiles {
  readonly files: CaFiles;
  readonly caCerts?: readonly Certificate[];
  /** The first certificate of ca-cert.pem: the only one istiod looks at. */
  readonly ca?: Certificate;
  readonly roots?: readonly Certificate[];
  readonly chain?: readonly Certificate[];
  readonly key?: PrivateKeyFacts;
  /** Absent when certificate or roots could not be read. */
  readonly verified?: ChainResult;
  readonly now: Date;
  /** `1.30` or `1.30.3`; absent: judged like the newest. */
  readonly istioVersion?: string;
  readonly trustDomain: string;
  /** DNS names of istiod's own certificate. */
  readonly servingNames: readonly string[];
  readonly keyMayBeMissing: boolean;
}

/** What a rule says when it is broken: what is wrong, in one sentence. */
type Rule = (parsed: ParsedCaFiles) => string | undefined;

/** A rule of the registry. */
export interface CaRule {
  /** Stable: stands in JSON. */
  readonly id: string;
  readonly severity: 'error' | 'warning';
  /**
   * `refused`: istiod does not start with these files, or keeps the old ones. `silent`: it loads them without a word and
   * something breaks later.
   */
  readonly effect: 'refused' | 'silent';
  readonly check: Rule;
}

const completeness: Rule = ({files, keyMayBeMissing, istioVersion}) => {
  const names = caFileNamesOf(files);
  const parts =
    files.layout === 'tls' ? (['caKey', 'rootCert'] as const) : (['caCert', 'caKey', 'rootCert', 'certChain'] as const);
  const missing = parts.filter((part) => files[part] === undefined && !(part === 'caKey' && keyMayBeMissing));
  if (missing.length === 0) return undefined;
  const list = missing.map((part) => names[part]).join(', ');
  if (lacks(istioVersion, 'incompleteCacertsRefused') && files.caKey === undefined) {
    return `${list} missing: istiod ${istioVersion ?? ''} goes self-signed without a word when the key is not there`;
  }
  return `${list} missing: istiod stops with "incomplete signing CA bundle detected"`;
};

const tlsLayoutKnown: Rule = ({files, istioVersion}) =>
  files.layout === 'tls' && lacks(istioVersion, 'tlsCacerts')
    ? `istiod ${istioVersion ?? ''} does not read tls.crt, tls.key and ca.crt (1.14.2 does)`
    : undefined;

const keyReadable: Rule = ({key, files}) =>
  key?.refusal === undefined ? undefined : `${caFileNamesOf(files).caKey}: ${key.refusal}`;

const keyMatches: Rule = ({ca, key, files}) => {
  if (!ca || key?.spki === undefined || key.spki === ca.spki) return undefined;
  const names = caFileNamesOf(files);
  return `${names.caKey} is not the key of ${names.caCert} ("${ca.subject.text}")`;
};

const chainsToRoot: Rule = ({verified, files}) =>
  verified && 'failure' in verified
    ? `${caFileNamesOf(files).caCert} does not verify against ${caFileNamesOf(files).rootCert}: ${verified.message}`
    : undefined;

const isCa: Rule = ({ca}) =>
  ca && ca.extensions.basicConstraints?.ca !== true
    ? `"${ca.subject.text}" is not a CA: istiod stops with "not authorized to sign other certificates"`
    : undefined;

const chainStartsValid: Rule = ({chain, now}) => {
  const first = chain?.[0];
  return first && first.notAfter <= now
    ? `the first certificate of the chain, "${first.subject.text}", expired on ${first.notAfter.toISOString()}`
    : undefined;
};

// What is no CA at all says so once; the rules about what a CA's workloads need add nothing.
const isNoCa = ({ca}: ParsedCaFiles): boolean => ca?.extensions.basicConstraints?.ca !== true;

const maySign: Rule = (parsed) => {
  const {ca} = parsed;
  const usages = ca?.extensions.keyUsage?.usages;
  return ca && !isNoCa(parsed) && usages && !usages.includes('keyCertSign')
    ? `the key usage of "${ca.subject.text}" lacks keyCertSign: proxies refuse every workload certificate it signs`
    : undefined;
};

const chainNotEmpty: Rule = ({chain, files}) =>
  chain?.length === 0
    ? `${caFileNamesOf(files).certChain} is empty: workloads present no chain, so other clusters cannot verify them`
    : undefined;

const chainHoldsSigner: Rule = ({ca, chain, files}) =>
  ca && chain && chain.length > 0 && !chain.some(({fingerprint}) => fingerprint === ca.fingerprint)
    ? `${caFileNamesOf(files).certChain} does not hold the cluster CA "${ca.subject.text}": workloads present a chain that does not fit`
    : undefined;

const chainOrder: Rule = ({ca, chain, files}) => {
  if (!ca || !chain?.some(({fingerprint}) => fingerprint === ca.fingerprint)) return undefined;
  const upward = chain.every((certificate, index) => {
    const parent = chain[index + 1];
    return !parent || certificate.signedBy(parent.publicKey);
  });
  if (chain[0]?.fingerprint === ca.fingerprint && upward) return undefined;
  return `${caFileNamesOf(files).certChain} is in the wrong order: the cluster CA comes first, then intermediates upward, the root last`;
};

const chainReachesRoot: Rule = ({chain, roots, files, verified}) => {
  const last = chain?.at(-1);
  if (!last || !roots || !verified || 'failure' in verified) return undefined;
  const ends = roots.some((root) => root.fingerprint === last.fingerprint || last.signedBy(root.publicKey));
  return ends
    ? undefined
    : `${caFileNamesOf(files).certChain} ends at "${last.subject.text}", which no certificate of ${caFileNamesOf(files).rootCert} signed`;
};

const workloadsFitPathLength: Rule = (parsed) => {
  const {verified} = parsed;
  if (!verified || 'failure' in verified || isNoCa(parsed)) return undefined;
  const short = verified.chain.find((certificate, index) => exceedsPathLength(certificate, index));
  return short
    ? `"${short.subject.text}" has pathlen:${String(short.extensions.basicConstraints?.pathLength)}: istiod loads it, but every workload certificate below it fails verification`
    : undefined;
};

const workloadsFitUsage: Rule = ({verified}) => {
  if (!verified || 'failure' in verified) return undefined;
  const {chain} = verified;
  if (!namesUsage(chain, 'serverAuth')) {
    return 'a certificate in the chain has an extended key usage list with anyExtendedKeyUsage in place of serverAuth: istiod takes that, proxies do not';
  }
  return namesUsage(chain, 'clientAuth')
    ? undefined
    : 'a certificate in the chain has an extended key usage list without clientAuth: workloads cannot be clients of mTLS';
};

const workloadsFitNames: Rule = ({verified, trustDomain}) => {
  if (!verified || 'failure' in verified) return undefined;
  const strict = verified.chain.find(
    ({extensions: {nameConstraints}}) => nameConstraints && forbidsTrustDomain(nameConstraints, trustDomain),
  );
  return strict
    ? `the name constraints of "${strict.subject.text}" forbid workload identities of trust domain ${trustDomain}`
    : undefined;
};

const subjectsFitNames: Rule = ({verified}) => {
  if (!verified || 'failure' in verified) return undefined;
  const strict = verified.chain.flatMap(({subject, extensions: {nameConstraints}}, index) => {
    const below = verified.chain.slice(0, index).map((one) => one.subject);
    const forbidden = nameConstraints && firstForbiddenSubject(nameConstraints, below);
    return forbidden ? [{subject, forbidden}] : [];
  })[0];
  return strict
    ? `the name constraints of "${strict.subject.text}" forbid the subject "${strict.forbidden.text}": istiod passes over that, proxies do not`
    : undefined;
};

const servingNamesFit: Rule = ({verified, servingNames}) => {
  if (!verified || 'failure' in verified) return undefined;
  const names = servingNames.map((value) => ({type: 'dns', value}) as const);
  const strict = verified.chain.flatMap(({subject, extensions: {nameConstraints}}) => {
    const forbidden = nameConstraints && firstForbiddenName(nameConstraints, names);
    return forbidden ? [{subject, forbidden}] : [];
  })[0];
  return strict
    ? `the name constraints of "${strict.subject.text}" forbid ${strict.forbidden.value}: proxies refuse istiod's own certificate`
    : undefined;
};

const authorityKeyFits: Rule = ({verified}) => {
  if (!verified || 'failure' in verified) return undefined;
  const wrong = verified.chain.find((certificate, index) => {
    const stated = certificate.extensions.authorityKeyId;
    const actual = verified.chain[index + 1]?.extensions.subjectKeyId;
    return stated !== undefined && actual !== undefined && stated !== actual;
  });
  return wrong
    ? `"${wrong.subject.text}" names another authority key than its issuer has: Go accepts that, Envoy and OpenSSL do not`
    : undefined;
};

const oneCaCert: Rule = ({caCerts, files}) =>
  caCerts && caCerts.length > 1
    ? `${caFileNamesOf(files).caCert} holds ${String(caCerts.length)} certificates; istiod signs with the first and ignores the rest`
    : undefined;

const strongKey: Rule = ({ca}) =>
  ca?.key.bits !== undefined && ca.key.bits < 2048
    ? `the key of "${ca.subject.text}" is ${ca.key.name}: proxies accept RSA from 2048 bits on`
    : undefined;

const keyKnownToProxies: Rule = ({ca}) =>
  ca && ca.key.type !== 'rsa' && ca.key.name !== 'ecdsa-p256' && ca.key.name !== 'ecdsa-p384'
    ? `the key of "${ca.subject.text}" is ${ca.key.name}: istiod loads it, but proxies are not known to accept it`
    : undefined;

const endsBeforeIssuer: Rule = ({verified}) => {
  if (!verified || 'failure' in verified) return undefined;
  // Istio's Makefile gives both the same number of days, the cluster CA seconds later: a day is no mistake.
  const outliving = verified.chain.find((certificate, index) => {
    const issuer = verified.chain[index + 1];
    return issuer && certificate.notAfter.getTime() > issuer.notAfter.getTime() + dayMs;
  });
  return outliving ? `"${outliving.subject.text}" outlives its issuer: it ends when the issuer does` : undefined;
};

const everyRootValid: Rule = ({roots, now}) => {
  const expired = roots && roots.length > 1 ? roots.find(({notAfter}) => notAfter <= now) : undefined;
  return expired
    ? `the bundle still holds the root "${expired.subject.text}", expired on ${expired.notAfter.toISOString()}`
    : undefined;
};

const rootsNamedApart: Rule = ({roots}) => {
  const twin = roots?.find((root, index) =>
    roots.slice(0, index).some((other) => other.subject.der.equals(root.subject.der) && other.spki !== root.spki),
  );
  return twin
    ? `two roots of the bundle have the name "${twin.subject.text}": verifiers that look up by name take the wrong one`
    : undefined;
};

const rootsSelfSigned: Rule = ({roots}) => {
  const foreign = roots?.find(({selfSigned}) => !selfSigned);
  return foreign ? `"${foreign.subject.text}" stands among the roots, but is not self-signed` : undefined;
};

const signerIsNoRoot: Rule = ({ca, roots}) =>
  ca && roots?.some(({spki}) => spki === ca.spki)
    ? `the cluster signs with the root's own key ("${ca.subject.text}"): whoever reads its Secrets owns the mesh`
    : undefined;

/** Every rule; those that istiod applies itself first. */
export const caRules: readonly CaRule[] = [
  {id: 'incomplete', severity: 'error', effect: 'refused', check: completeness},
  {id: 'tls-layout-unknown', severity: 'error', effect: 'refused', check: tlsLayoutKnown},
  {id: 'key-format', severity: 'error', effect: 'refused', check: keyReadable},
  {id: 'key-mismatch', severity: 'error', effect: 'refused', check: keyMatches},
  {id: 'not-trusted', severity: 'error', effect: 'refused', check: chainsToRoot},
  {id: 'not-a-ca', severity: 'error', effect: 'refused', check: isCa},
  {id: 'chain-expired', severity: 'error', effect: 'refused', check: chainStartsValid},
  {id: 'no-cert-sign', severity: 'error', effect: 'silent', check: maySign},
  {id: 'chain-empty', severity: 'error', effect: 'silent', check: chainNotEmpty},
  {id: 'chain-without-ca', severity: 'error', effect: 'silent', check: chainHoldsSigner},
  {id: 'chain-order', severity: 'error', effect: 'silent', check: chainOrder},
  {id: 'chain-open', severity: 'error', effect: 'silent', check: chainReachesRoot},
  {id: 'path-length', severity: 'error', effect: 'silent', check: workloadsFitPathLength},
  {id: 'no-client-auth', severity: 'error', effect: 'silent', check: workloadsFitUsage},
  {id: 'name-constraints', severity: 'error', effect: 'silent', check: workloadsFitNames},
  {id: 'subject-names', severity: 'error', effect: 'silent', check: subjectsFitNames},
  {id: 'serving-names', severity: 'error', effect: 'silent', check: servingNamesFit},
  {id: 'authority-key', severity: 'error', effect: 'silent', check: authorityKeyFits},
  {id: 'weak-key', severity: 'error', effect: 'silent', check: strongKey},
  {id: 'unusual-key', severity: 'warning', effect: 'silent', check: keyKnownToProxies},
  {id: 'several-ca-certs', severity: 'warning', effect: 'silent', check: oneCaCert},
  {id: 'outlives-issuer', severity: 'warning', effect: 'silent', check: endsBeforeIssuer},
  {id: 'root-expired', severity: 'warning', effect: 'silent', check: everyRootValid},
  {id: 'root-name-twice', severity: 'warning', effect: 'silent', check: rootsNamedApart},
  {id: 'root-not-self-signed', severity: 'warning', effect: 'silent', check: rootsSelfSigned},
  {id: 'signs-with-root', severity: 'warning', effect: 'silent', check: signerIsNoRoot},
];

/** Whether a version is known not to have something; `1.26` alone counts as its newest patch. */
function lacks(version: string | undefined, feature: Feature): boolean {
  const parsed = version === undefined ? undefined : parseVersion(version);
  return parsed !== undefined && !hasFeature(parsed, feature);
}

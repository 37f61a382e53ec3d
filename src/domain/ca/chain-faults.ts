/**
 * The faults of a cluster CA's chain, for each certificate: those for which Go's `x509.Verify` fails when istiod loads it
 * (golang/go src/crypto/x509/verify.go; istio/istio security/pkg/pki/util/keycertbundle.go), and those with which istiod
 * loads it although workloads cannot be verified. Unlike {@link import('../x509/chain.js').verifyChain}, this reports all
 * faults, so that one new request to the CA can fix them all.
 */
import {formatMinute} from '../format.js';
import {goSupportOf} from '../x509/algorithms.js';
import type {Certificate} from '../x509/certificate.js';
import {exceedsPathLength, proxiesAllowUsage} from '../x509/chain.js';
import {unsupportedByIstiod, unsupportedByProxies} from '../x509/critical-extensions.js';
import {
  type DoubtfulName,
  firstDoubtfulName,
  firstForbiddenName,
  firstForbiddenSubject,
  forbidsTrustDomain,
} from '../x509/name-constraints.js';
import {authorityKeyMatches} from '../x509/proxy-chains.js';

/** The time, trust domain and names for which a chain must be valid. */
export interface ChainPurpose {
  readonly now: Date;
  /** Absent: name constraints for workload identities are not checked. */
  readonly trustDomain?: string | undefined;
  /** DNS names in istiod's own certificate. */
  readonly servingNames: readonly string[];
  /** Whether istiod is built with Go 1.24 or later, which validates policies; default: true. */
  readonly hasPolicyValidation?: boolean;
}

/** A certificate in its chain. */
interface LinkOfChain extends Pick<Certificate, 'key' | 'extensions'> {
  readonly certificate: Certificate;
  /** The position above the cluster CA, which is 0. */
  readonly index: number;
  readonly parent: Certificate | undefined;
  /** The CAs below it. */
  readonly below: readonly Certificate[];
  /** `"CN=Policy CA"`. */
  readonly name: string;
  readonly purpose: ChainPurpose;
}

/** A check of a certificate in its chain; returns a message that names the certificate if it fails. */
type ChainRule = (link: LinkOfChain) => string | false | undefined;

/** The rules by fault id. The ids are stable: they appear in JSON. */
const rules = {
  expired: ({certificate: {notAfter}, name, purpose}) =>
    notAfter <= purpose.now && `${name} expired on ${formatMinute(notAfter)}`,
  'not-yet-valid': ({certificate: {notBefore}, name, purpose}) =>
    notBefore > purpose.now && `${name} is not valid before ${formatMinute(notBefore)}`,
  'not-a-ca': ({extensions, name}) =>
    extensions.basicConstraints?.ca !== true && `${name} is not a CA: its basic constraints lack CA:TRUE`,
  'no-cert-sign': ({extensions: {keyUsage}, name}) =>
    keyUsage?.usages.includes('keyCertSign') === false &&
    `the key usage of ${name} lacks keyCertSign: proxies refuse the certificates that it signs`,
  // Below it are `index` CAs, and then the workload.
  'path-length': ({certificate, extensions, index, name}) =>
    exceedsPathLength(certificate, index) &&
    `${name} has path length ${String(extensions.basicConstraints?.pathLength)}, but the number of CAs below it in this chain is ${String(index)}: istiod loads it, but every workload certificate below it fails verification`,
  'no-server-auth': ({certificate, name}) =>
    !proxiesAllowUsage([certificate], 'serverAuth') &&
    `the extended key usage of ${name} lacks serverAuth: istiod (or with anyExtendedKeyUsage, proxies) refuses the chain`,
  'no-client-auth': ({certificate, name}) =>
    !proxiesAllowUsage([certificate], 'clientAuth') &&
    `the extended key usage of ${name} lacks clientAuth: workloads cannot be clients in mutual TLS`,
  'serving-names': ({extensions: {nameConstraints}, name, purpose: {servingNames}}) => {
    const names = servingNames.map((value) => ({type: 'dns', value}) as const);
    const found = nameConstraints && firstForbiddenName(nameConstraints, names);
    return found && `the name constraints of ${name} forbid ${found.value}: proxies refuse istiod's own certificate`;
  },
  'workload-names': ({extensions: {nameConstraints}, name, purpose: {trustDomain}}) =>
    nameConstraints &&
    trustDomain !== undefined &&
    forbidsTrustDomain(nameConstraints, trustDomain) &&
    `the name constraints of ${name} forbid workload identities of trust domain ${trustDomain}`,
  'subject-names': ({extensions: {nameConstraints}, below, name}) => {
    const subjects = below.map(({subject}) => subject);
    // Critical ones are always a fault, because Go does not support them.
    const found = nameConstraints?.critical === false && firstForbiddenSubject(nameConstraints, subjects);
    return (
      found && `the name constraints of ${name} forbid the subject "${found.text}": istiod ignores that, proxies do not`
    );
  },
  'ca-names': (link) => {
    const found = doubtfulName(link, true);
    return found && `the name constraints of ${link.name} forbid ${found} in a CA: istiod accepts that, proxies do not`;
  },
  'ca-names-unproven': (link) => {
    const found = doubtfulName(link, false);
    return (
      found &&
      `it is not proven that the name constraints of ${link.name} allow ${found} in a CA, for istiod and proxies`
    );
  },
  'insecure-signature': ({certificate: {selfSigned, signatureAlgorithm}, name}) =>
    !selfSigned &&
    goSupportOf(signatureAlgorithm) === 'insecure' &&
    `${name} is signed with ${signatureAlgorithm}, which istiod refuses`,
  'unknown-signature': ({certificate: {selfSigned, signatureAlgorithm}, name}) =>
    !selfSigned &&
    goSupportOf(signatureAlgorithm) === 'unknown' &&
    `${name} is signed with ${signatureAlgorithm}, which istiod does not support`,
  'weak-key': ({key, name}) =>
    key.bits !== undefined &&
    key.bits < 2048 &&
    `the key of ${name} is ${key.name}: proxies require RSA keys of at least 2048 bits`,
  'unsupported-key': ({key, index, name}) => {
    if (!key.supportedByGo) return `the key of ${name} is ${key.name}, which istiod does not support`;
    const common = key.type === 'rsa' || key.name === 'ecdsa-p256' || key.name === 'ecdsa-p384';
    return (
      index === 0 &&
      !common &&
      `the key of ${name} is ${key.name}: istiod loads it, but proxies might not accept its signatures`
    );
  },
  'critical-extension': ({extensions, name, purpose: {hasPolicyValidation}}) => {
    const unsupported = unsupportedByIstiod(extensions, hasPolicyValidation);
    return (
      unsupported.length > 0 &&
      `${name} has critical extensions that istiod does not support: ${unsupported.join(', ')}`
    );
  },
  'proxy-extension': ({extensions, name, purpose: {hasPolicyValidation}}) => {
    const reported = unsupportedByIstiod(extensions, hasPolicyValidation);
    const unsupported = unsupportedByProxies(extensions).filter((id) => !reported.includes(id));
    return (
      unsupported.length > 0 &&
      `${name} has critical extensions that proxies do not support, although istiod does: ${unsupported.join(', ')}`
    );
  },
  // Workload certificates have no policies. The constraints of a root do not count (RFC 5280 6.1).
  'required-policy': ({certificate: {selfSigned}, extensions: {requiresPolicy}, name}) =>
    requiresPolicy === true &&
    !selfSigned &&
    `the policy constraints of ${name} require a policy in every certificate below: istiod (since 1.26) and proxies refuse such a chain, because workload certificates have none`,
  'authority-key': ({certificate, parent, name}) =>
    parent &&
    !authorityKeyMatches(certificate, parent) &&
    `the authority key identifier of ${name} does not match "${parent.subject.text}": istiod accepts that, proxies and OpenSSL do not`,
} satisfies Record<string, ChainRule>;

function doubtfulName({extensions: {nameConstraints}, below}: LinkOfChain, isRefused: boolean): string | undefined {
  if (!nameConstraints) return undefined;
  return below
    .map((ca): DoubtfulName | undefined => firstDoubtfulName(nameConstraints, ca))
    .find((found) => found?.isRefused === isRefused)?.value;
}

/** The id of a fault. */
export type ChainFaultId = keyof typeof rules;

/** A fault; the message names the certificate. */
export interface ChainFault {
  readonly id: ChainFaultId;
  readonly message: string;
  readonly certificate: Certificate;
}

/** The faults of a chain, from the cluster CA upward. */
export function chainFaults(chain: readonly Certificate[], purpose: ChainPurpose): readonly ChainFault[] {
  const ids = Object.keys(rules) as ChainFaultId[];
  return linksIn(chain, purpose).flatMap((link) => ids.flatMap((id) => faultOf(id, link)));
}

/** The first fault: by the order of the ids, then from the cluster CA upward. */
export function firstFault(
  ids: readonly ChainFaultId[],
  chain: readonly Certificate[],
  purpose: ChainPurpose,
): ChainFault | undefined {
  const links = linksIn(chain, purpose);
  return ids.flatMap((id) => links.flatMap((link) => faultOf(id, link)))[0];
}

/**
 * Faults for which only proxies refuse a chain, whatever the trust domain and istiod's names: Go does not check them when it
 * verifies a chain.
 */
const proxyFaults = [
  'no-cert-sign',
  'no-server-auth',
  'no-client-auth',
  'subject-names',
  'ca-names',
  'proxy-extension',
  'required-policy',
  'authority-key',
  'weak-key',
] as const satisfies readonly ChainFaultId[];

/** Why proxies refuse a chain that istiod accepts, from the cluster CA upward; undefined if they accept it, too. */
export function proxyRefusal(chain: readonly Certificate[], now: Date): string | undefined {
  return firstFault(proxyFaults, chain, {now, servingNames: []})?.message;
}

function faultOf(id: ChainFaultId, link: LinkOfChain): readonly ChainFault[] {
  const rule: ChainRule = rules[id];
  const message = rule(link);
  return message === undefined || message === false ? [] : [{id, message, certificate: link.certificate}];
}

function linksIn(chain: readonly Certificate[], purpose: ChainPurpose): readonly LinkOfChain[] {
  return chain.map((certificate, index) => ({
    ...{certificate, index, purpose, name: `"${certificate.subject.text}"`},
    ...{key: certificate.key, extensions: certificate.extensions},
    ...{parent: chain[index + 1], below: chain.slice(0, index)},
  }));
}

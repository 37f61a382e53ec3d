/**
 * Why a cluster CA's chain does not serve a mesh, one certificate after the other: what Go's `x509.Verify` refuses when
 * istiod loads it (golang/go src/crypto/x509/verify.go; istio/istio security/pkg/pki/util/keycertbundle.go), and what istiod
 * loads although its workloads cannot be verified. Unlike {@link import('../x509/chain.js').verifyChain} it does not stop at the
 * first fault: whoever asks a CA for another certificate wants to know them all.
 */
import {formatMinute} from '../format.js';
import {algorithmInGo} from '../x509/algorithms.js';
import type {Certificate} from '../x509/certificate.js';
import {exceedsPathLength, namesUsage} from '../x509/chain.js';
import {firstForbiddenName, firstForbiddenSubject, forbidsTrustDomain} from '../x509/name-constraints.js';

/** What the chain must serve. */
export interface ChainPurpose {
  readonly now: Date;
  readonly trustDomain: string;
  /** DNS names of istiod's own certificate. */
  readonly servingNames: readonly string[];
}

/** A certificate in its chain. */
interface Link extends Pick<Certificate, 'key' | 'extensions'> {
  readonly certificate: Certificate;
  /** Places above the cluster CA, which is 0. */
  readonly index: number;
  readonly parent: Certificate | undefined;
  /** The CAs below it. */
  readonly below: readonly Certificate[];
  /** `"CN=Policy CA"`. */
  readonly name: string;
  readonly purpose: ChainPurpose;
}

/** What is wrong with a certificate in its place, in a sentence that names it. */
type Rule = (link: Link) => string | false | undefined;

/** Named for the fault. The ids are stable: JSON shows them. */
const rules = {
  expired: ({certificate: {notAfter}, name, purpose}) =>
    notAfter <= purpose.now && `${name} expired on ${formatMinute(notAfter)}`,
  'not-yet-valid': ({certificate: {notBefore}, name, purpose}) =>
    notBefore > purpose.now && `${name} is not valid before ${formatMinute(notBefore)}`,
  'not-a-ca': ({extensions, name}) =>
    extensions.basicConstraints?.ca !== true && `${name} is not a CA: its basic constraints do not say CA:TRUE`,
  'no-cert-sign': ({extensions: {keyUsage}, name}) =>
    keyUsage?.usages.includes('keyCertSign') === false &&
    `the key usage of ${name} lacks keyCertSign: it may not sign certificates, and proxies refuse those that it signs`,
  // Below it stand `index` CAs, and then the workload.
  'path-length': ({certificate, extensions, index, name}) =>
    exceedsPathLength(certificate, index) &&
    `${name} has path length ${String(extensions.basicConstraints?.pathLength)}, and ${String(index)} CAs stand below it in this chain: istiod loads it, but every workload certificate below it fails verification`,
  'no-server-auth': ({certificate, name}) =>
    !namesUsage([certificate], 'serverAuth') &&
    `${name} has an extended key usage list without serverAuth: istiod, or with anyExtendedKeyUsage proxies, refuse a chain with it`,
  'no-client-auth': ({certificate, name}) =>
    !namesUsage([certificate], 'clientAuth') &&
    `${name} has an extended key usage list without clientAuth: workloads could not be clients of mutual TLS`,
  'serving-names': ({extensions: {nameConstraints}, name, purpose: {servingNames}}) => {
    const names = servingNames.map((value) => ({type: 'dns', value}) as const);
    const found = nameConstraints && firstForbiddenName(nameConstraints, names);
    return found && `the name constraints of ${name} forbid ${found.value}: proxies refuse istiod's own certificate`;
  },
  'workload-names': ({extensions: {nameConstraints}, name, purpose: {trustDomain}}) =>
    nameConstraints &&
    forbidsTrustDomain(nameConstraints, trustDomain) &&
    `the name constraints of ${name} forbid workload identities of trust domain ${trustDomain}`,
  'subject-names': ({extensions: {nameConstraints}, below, name}) => {
    const subjects = below.map(({subject}) => subject);
    // Critical ones are refused for that alone.
    const found = nameConstraints?.critical === false && firstForbiddenSubject(nameConstraints, subjects);
    return (
      found &&
      `the name constraints of ${name} forbid the subject "${found.text}": istiod passes over that, proxies do not`
    );
  },
  'insecure-signature': ({certificate: {selfSigned, signatureAlgorithm}, name}) =>
    !selfSigned &&
    algorithmInGo(signatureAlgorithm) === 'insecure' &&
    `${name} is signed with ${signatureAlgorithm}, which istiod refuses`,
  'unknown-signature': ({certificate: {selfSigned, signatureAlgorithm}, name}) =>
    !selfSigned &&
    algorithmInGo(signatureAlgorithm) === 'unknown' &&
    `${name} is signed with ${signatureAlgorithm}, which istiod does not know`,
  'weak-key': ({key, name}) =>
    key.bits !== undefined &&
    key.bits < 2048 &&
    `the key of ${name} is ${key.name}: proxies accept RSA from 2048 bits on`,
  'unsupported-key': ({key, index, name}) => {
    if (!key.knownToGo) return `the key of ${name} is ${key.name}, which istiod does not know`;
    const usual = key.type === 'rsa' || key.name === 'ecdsa-p256' || key.name === 'ecdsa-p384';
    return (
      index === 0 &&
      !usual &&
      `the key of ${name} is ${key.name}: istiod loads it, but proxies are not known to accept what it signs`
    );
  },
  'critical-extension': ({extensions: {unhandledCritical}, name}) =>
    unhandledCritical.length > 0 &&
    `${name} has critical extensions that istiod does not know: ${unhandledCritical.join(', ')}`,
  'authority-key': ({extensions: {authorityKeyId: stated}, parent, name}) => {
    const actual = parent?.extensions.subjectKeyId;
    return (
      stated !== undefined &&
      actual !== undefined &&
      stated !== actual &&
      `${name} names another authority key than "${parent?.subject.text ?? ''}" has: istiod accepts that, Envoy and OpenSSL do not`
    );
  },
} satisfies Record<string, Rule>;

/** What can be wrong with a certificate in its place. */
export type ChainFaultId = keyof typeof rules;

/** One fault, in a sentence that names the certificate. */
export interface ChainFault {
  readonly id: ChainFaultId;
  readonly message: string;
}

/** The faults of a chain, from the cluster CA upward; empty when there are none. */
export function chainFaults(chain: readonly Certificate[], purpose: ChainPurpose): readonly ChainFault[] {
  const ids = Object.keys(rules) as ChainFaultId[];
  return linksOf(chain, purpose).flatMap((link) => ids.flatMap((id) => faultOf(id, link)));
}

/** The first fault of these kinds, as a sentence: the kinds in their order, each from the cluster CA upward. */
export function firstFault(
  ids: readonly ChainFaultId[],
  chain: readonly Certificate[],
  purpose: ChainPurpose,
): string | undefined {
  const links = linksOf(chain, purpose);
  return ids.flatMap((id) => links.flatMap((link) => faultOf(id, link)))[0]?.message;
}

function faultOf(id: ChainFaultId, link: Link): readonly ChainFault[] {
  const rule: Rule = rules[id];
  const message = rule(link);
  return message === undefined || message === false ? [] : [{id, message}];
}

function linksOf(chain: readonly Certificate[], purpose: ChainPurpose): readonly Link[] {
  return chain.map((certificate, index) => ({
    ...{certificate, index, purpose, name: `"${certificate.subject.text}"`},
    ...{key: certificate.key, extensions: certificate.extensions},
    ...{parent: chain[index + 1], below: chain.slice(0, index)},
  }));
}

/**
 * Why a cluster CA's chain does not serve a mesh, one certificate after the other: what Go's `x509.Verify` refuses when
 * istiod loads it (golang/go src/crypto/x509/verify.go; istio/istio security/pkg/pki/util/keycertbundle.go), and what istiod
 * loads although its workloads cannot be verified. Unlike {@link import('../x509/chain.js').verifyChain} it does not stop at the
 * first fault: whoever asks a CA for another certificate wants to know them all.
 */
import {algorithmInGo} from '../x509/algorithms.js';
import type {Certificate} from '../x509/certificate.js';
import {exceedsPathLength, namesUsage} from '../x509/chain.js';
import {firstForbiddenName, firstForbiddenSubject, forbidsTrustDomain} from '../x509/name-constraints.js';

/** What can be wrong with a certificate in its place. Stable: stands in JSON. */
export type ChainFaultId =
  | 'expired'
  | 'not-yet-valid'
  | 'not-a-ca'
  | 'no-cert-sign'
  | 'path-length'
  | 'no-server-auth'
  | 'no-client-auth'
  | 'serving-names'
  | 'workload-names'
  | 'subject-names'
  | 'insecure-signature'
  | 'unknown-signature'
  | 'weak-key'
  | 'unsupported-key'
  | 'critical-extension'
  | 'authority-key';

/** One fault, in a sentence that names the certificate. */
export interface ChainFault {
  readonly id: ChainFaultId;
  readonly message: string;
}

/** What the chain must serve. */
export interface ChainPurpose {
  readonly now: Date;
  readonly trustDomain: string;
  /** DNS names of istiod's own certificate. */
  readonly servingNames: readonly string[];
}

/** A certificate in its chain. */
interface Link {
  readonly certificate: Certificate;
  /** Places above the cluster CA, which is 0. */
  readonly index: number;
  readonly parent: Certificate | undefined;
  /** The CAs below it. */
  readonly below: readonly Certificate[];
  /** `"CN=Policy CA"`, with what it is where that helps. */
  readonly name: string;
  readonly purpose: ChainPurpose;
}

type Rule = (link: Link) => string | undefined;

const rules: readonly (readonly [ChainFaultId, Rule])[] = [
  [
    'expired',
    ({certificate: {notAfter}, name, purpose}) =>
      notAfter <= purpose.now ? `${name} expired on ${notAfter.toISOString()}` : undefined,
  ],
  [
    'not-yet-valid',
    ({certificate: {notBefore}, name, purpose}) =>
      notBefore > purpose.now ? `${name} is not valid before ${notBefore.toISOString()}` : undefined,
  ],
  [
    'not-a-ca',
    ({certificate, name}) =>
      certificate.extensions.basicConstraints?.ca === true
        ? undefined
        : `${name} is not a CA: its basic constraints do not say CA:TRUE`,
  ],
  [
    'no-cert-sign',
    ({certificate, name}) => {
      const usages = certificate.extensions.keyUsage?.usages;
      return usages && !usages.includes('keyCertSign')
        ? `the key usage of ${name} lacks keyCertSign: it may not sign certificates`
        : undefined;
    },
  ],
  [
    'path-length',
    ({certificate, index, name}) => {
      // Below it stand `index` CAs, and then the workload.
      if (!exceedsPathLength(certificate, index)) return undefined;
      const limit = String(certificate.extensions.basicConstraints?.pathLength);
      return `${name} has path length ${limit}, and ${String(index)} CAs stand below it in this chain`;
    },
  ],
  [
    'no-server-auth',
    ({certificate, name}) =>
      restricts(certificate, 'serverAuth')
        ? `${name} has an extended key usage list without serverAuth: istiod, or with anyExtendedKeyUsage proxies, refuse a chain with it`
        : undefined,
  ],
  [
    'no-client-auth',
    ({certificate, name}) =>
      restricts(certificate, 'clientAuth')
        ? `${name} has an extended key usage list without clientAuth: workloads could not be clients of mutual TLS`
        : undefined,
  ],
  [
    'serving-names',
    ({certificate, name, purpose: {servingNames}}) => {
      const constraints = certificate.extensions.nameConstraints;
      const names = servingNames.map((value) => ({type: 'dns', value}) as const);
      const found = constraints && firstForbiddenName(constraints, names);
      return found && `the name constraints of ${name} forbid ${found.value}, istiod's own name`;
    },
  ],
  [
    'workload-names',
    ({certificate, name, purpose: {trustDomain}}) => {
      const constraints = certificate.extensions.nameConstraints;
      return constraints && forbidsTrustDomain(constraints, trustDomain)
        ? `the name constraints of ${name} forbid workload identities of trust domain ${trustDomain}`
        : undefined;
    },
  ],
  [
    'subject-names',
    ({certificate, below, name}) => {
      const constraints = certificate.extensions.nameConstraints;
      // Critical ones are refused for that alone.
      if (!constraints || constraints.critical) return undefined;
      const found = firstForbiddenSubject(
        constraints,
        below.map(({subject}) => subject),
      );
      return (
        found &&
        `the name constraints of ${name} forbid the subject "${found.text}": istiod passes over that, proxies do not`
      );
    },
  ],
  [
    'insecure-signature',
    ({certificate, name}) =>
      !certificate.selfSigned && algorithmInGo(certificate.signatureAlgorithm) === 'insecure'
        ? `${name} is signed with ${certificate.signatureAlgorithm}, which istiod refuses`
        : undefined,
  ],
  [
    'unknown-signature',
    ({certificate: {selfSigned, signatureAlgorithm}, name}) =>
      !selfSigned && algorithmInGo(signatureAlgorithm) === 'unknown'
        ? `${name} is signed with ${signatureAlgorithm}, which istiod does not know`
        : undefined,
  ],
  [
    'weak-key',
    ({certificate, name}) =>
      certificate.key.bits !== undefined && certificate.key.bits < 2048
        ? `the key of ${name} is ${certificate.key.name}: proxies accept RSA from 2048 bits on`
        : undefined,
  ],
  [
    'unsupported-key',
    ({certificate: {key}, index, name}) => {
      if (!key.knownToGo) return `the key of ${name} is ${key.name}, which istiod does not know`;
      const usual = key.type === 'rsa' || key.name === 'ecdsa-p256' || key.name === 'ecdsa-p384';
      return index > 0 || usual
        ? undefined
        : `the key of ${name} is ${key.name}: proxies are not known to accept what it signs`;
    },
  ],
  [
    'critical-extension',
    ({certificate, name}) => {
      const ids = certificate.extensions.unhandledCritical;
      return ids.length > 0
        ? `${name} has critical extensions that istiod does not know: ${ids.join(', ')}`
        : undefined;
    },
  ],
  [
    'authority-key',
    ({certificate, parent, name}) => {
      const stated = certificate.extensions.authorityKeyId;
      const actual = parent?.extensions.subjectKeyId;
      return stated !== undefined && actual !== undefined && stated !== actual
        ? `${name} names another authority key than "${parent?.subject.text ?? ''}" has: istiod accepts that, proxies do not`
        : undefined;
    },
  ],
];

/** The faults of a chain, from the cluster CA upward; empty when there are none. */
export function chainFaults(chain: readonly Certificate[], purpose: ChainPurpose): readonly ChainFault[] {
  return chain.flatMap((certificate, index) => {
    const link: Link = {
      ...{certificate, index, purpose, name: `"${certificate.subject.text}"`},
      ...{parent: chain[index + 1], below: chain.slice(0, index)},
    };
    return rules.flatMap(([id, rule]) => {
      const message = rule(link);
      return message === undefined ? [] : [{id, message}];
    });
  });
}

function restricts(certificate: Certificate, usage: 'serverAuth' | 'clientAuth'): boolean {
  return !namesUsage([certificate], usage);
}

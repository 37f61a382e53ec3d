/** Which critical extensions istiod and proxies support: they refuse a chain with any other (RFC 5280 4.2). */
import {extensionOids, type Extensions} from './extensions.js';

/** Go's crypto/x509 (parser.go, processExtensions), in all versions that Istio has used. */
const goSupports: readonly string[] = [
  extensionOids.subjectKeyId,
  extensionOids.keyUsage,
  extensionOids.subjectAltName,
  extensionOids.basicConstraints,
  extensionOids.nameConstraints,
  extensionOids.crlDistributionPoints,
  extensionOids.policies,
  extensionOids.authorityKeyId,
  extensionOids.extendedKeyUsage,
];

/** Go 1.24 added these with its policy validation (verify.go, policiesValid). */
const goSupportsSince124: readonly string[] = [
  extensionOids.policyMappings,
  extensionOids.policyConstraints,
  extensionOids.inhibitAnyPolicy,
];

/** BoringSSL v3_purp.cc, X509_supported_extension. */
const proxiesSupport: readonly string[] = [
  extensionOids.keyUsage,
  extensionOids.subjectAltName,
  extensionOids.basicConstraints,
  extensionOids.policies,
  extensionOids.extendedKeyUsage,
  extensionOids.policyConstraints,
  extensionOids.nameConstraints,
  extensionOids.policyMappings,
  extensionOids.inhibitAnyPolicy,
];

/**
 * Dotted OIDs of the critical extensions that istiod does not support; name constraints count as unsupported with types of
 * names other than DNS, URI, email and IP. `hasPolicyValidation`: whether istiod is built with Go 1.24 or later.
 */
export function unsupportedByIstiod(
  {critical, nameConstraints}: Extensions,
  hasPolicyValidation = true,
): readonly string[] {
  const names = [...(nameConstraints?.permitted ?? []), ...(nameConstraints?.excluded ?? [])];
  const hasOtherNames = names.some(({type}) => type === 'directory' || type === 'other');
  return critical.filter((id) => {
    if (id === extensionOids.nameConstraints && hasOtherNames) return true;
    return !goSupports.includes(id) && !(hasPolicyValidation && goSupportsSince124.includes(id));
  });
}

/** Dotted OIDs of the critical extensions that proxies do not support. */
export function unsupportedByProxies({critical}: Extensions): readonly string[] {
  return critical.filter((id) => !proxiesSupport.includes(id));
}

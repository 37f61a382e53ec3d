/** The extensions for certificate policies (RFC 5280 4.2.1.4, 4.2.1.5, 4.2.1.11), read like Go's crypto/x509. */
import {contentOf, type Der, isContext, OutsideProfile, readOid, readSequence} from '../asn1/der.js';

const anyPolicy = '2.5.29.32.0';

/** Checks certificate policies: each policy once. The qualifiers are texts and addresses for people. */
export function readPolicies(value: Der): void {
  const policies = readSequence(value, 'certificate policies').map((information) => {
    const [policy, qualifiers, ...rest] = readSequence(information, 'certificate policy');
    if (rest.length > 0) throw new OutsideProfile('a certificate policy has additional fields');
    if (qualifiers) {
      const list = readSequence(qualifiers, 'policy qualifiers');
      if (list.length === 0) throw new OutsideProfile('a certificate policy has an empty list of qualifiers');
      for (const qualifier of list) {
        const [id, ...content] = readSequence(qualifier, 'policy qualifier');
        readOid(id, 'policy qualifier');
        if (content.length !== 1) throw new OutsideProfile('a policy qualifier has additional fields');
      }
    }
    return readOid(policy, 'certificate policy');
  });
  if (policies.length === 0) throw new Error('the certificate policies are empty');
  if (new Set(policies).size < policies.length) throw new Error('the certificate policies contain a policy twice');
}

/** Checks policy mappings: pairs of policies, without anyPolicy. */
export function readPolicyMappings(value: Der): void {
  const mappings = readSequence(value, 'policy mappings');
  if (mappings.length === 0) throw new Error('the policy mappings are empty');
  for (const mapping of mappings) {
    const pair = readSequence(mapping, 'policy mapping').map((policy) => readOid(policy, 'policy mapping'));
    if (pair.length !== 2) throw new Error('a policy mapping is not a pair');
    if (pair.includes(anyPolicy)) throw new Error('a policy mapping contains anyPolicy');
  }
}

/**
 * Whether policy constraints require an explicit policy for the certificates below. Go (verify.go, policiesValid; since Go
 * 1.24) and BoringSSL then refuse workload certificates, because istiod issues them without policies.
 */
export function readPolicyConstraints(value: Der): boolean {
  const fields = readSequence(value, 'policy constraints');
  const order = fields.map((field) => (isContext(field, field.tag) ? field.tag : -1)).join();
  if (!['0', '1', '0,1'].includes(order)) throw new Error('the policy constraints are empty or not valid');
  for (const field of fields) {
    const content = contentOf(field, 'policy constraints');
    if (content.length !== 1 || (content[0] ?? 0) >= 0x80)
      throw new OutsideProfile('the policy constraints skip many certificates');
  }
  return order.startsWith('0');
}

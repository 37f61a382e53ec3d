/** The extensions for certificate policies (RFC 5280 4.2.1.4, 4.2.1.5, 4.2.1.11), read like Go's crypto/x509. */
import {
  contentOf,
  type Der,
  isContext,
  isTag,
  OutsideProfile,
  readInteger,
  readLargeOid,
  readOid,
  readSequence,
  tagClasses,
  tags,
} from '../asn1/der.js';
import {readText} from '../asn1/text.js';

const anyPolicy = '2.5.29.32.0';

/** Checks certificate policies: each policy once. The qualifiers are texts and addresses for people. */
export function readPolicies(value: Der): void {
  const policies = readSequence(value, 'certificate policies').map((information) => {
    const [policy, qualifiers, ...rest] = readSequence(information, 'certificate policy');
    if (rest.length > 0) throw new OutsideProfile('a certificate policy has additional fields');
    if (qualifiers) {
      const list = readSequence(qualifiers, 'policy qualifiers');
      if (list.length === 0) throw new OutsideProfile('a certificate policy has an empty list of qualifiers');
      list.forEach(readQualifier);
    }
    // Go's x509.OID has no limit.
    return readLargeOid(policy, 'certificate policy');
  });
  if (policies.length === 0) throw new OutsideProfile('the certificate policies are empty');
  if (new Set(policies).size < policies.length) throw new Error('the certificate policies contain a policy twice');
}

/** RFC 5280 4.2.1.4: an address (CPS), or a notice. BoringSSL decodes both. */
function readQualifier(qualifier: Der): void {
  const [id, content, ...rest] = readSequence(qualifier, 'policy qualifier');
  if (rest.length > 0) throw new OutsideProfile('a policy qualifier has additional fields');
  switch (readOid(id, 'policy qualifier')) {
    case '1.3.6.1.5.5.7.2.1':
      if (!isTag(content, tags.ia5String)) throw new Error('the address of a policy is not an IA5String');
      readText(content, 'the address of a policy');
      return;
    case '1.3.6.1.5.5.7.2.2': {
      const fields = [...readSequence(content, 'policy notice')];
      if (isTag(fields[0], tags.sequence)) readReference(fields.shift());
      const [text, ...others] = fields;
      if (others.length > 0) throw new OutsideProfile('a policy notice has additional fields');
      if (text) readNotice(text);
      return;
    }
    default:
      throw new OutsideProfile('a policy has an unknown qualifier');
  }
}

/** A reference to a notice of an organization, by numbers. */
function readReference(value: Der | undefined): void {
  const [organization, numbers, ...others] = readSequence(value, 'policy notice');
  if (!organization || others.length > 0) throw new OutsideProfile('a policy notice refers to an unknown document');
  readNotice(organization);
  for (const number of readSequence(numbers, 'policy notice')) readInteger(number, 'policy notice');
}

/** A text, in VisibleString as `openssl` writes it or in any type of {@link readText}; istiod and proxies do not read it. */
function readNotice(text: Der): void {
  if (text.tagClass !== tagClasses.universal || text.tag !== tags.visibleString) {
    readText(text, 'policy notice');
  } else if (/[^ -~]/.test(contentOf(text, 'policy notice').toString('latin1'))) {
    throw new OutsideProfile('a policy notice contains unusual characters');
  }
}

/** Checks policy mappings: pairs of policies, without anyPolicy. */
export function readPolicyMappings(value: Der): void {
  const mappings = readSequence(value, 'policy mappings');
  if (mappings.length === 0) throw new Error('the policy mappings are empty');
  for (const mapping of mappings) {
    const pair = readSequence(mapping, 'policy mapping').map((policy) => readLargeOid(policy, 'policy mapping'));
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
  if (order === '') throw new OutsideProfile('the policy constraints are empty');
  if (!['0', '1', '0,1'].includes(order)) throw new Error('the policy constraints are not valid');
  for (const field of fields) {
    const content = contentOf(field, 'policy constraints');
    if (content.length !== 1 || (content[0] ?? 0) >= 0x80)
      throw new OutsideProfile('the policy constraints skip many certificates');
  }
  return order.startsWith('0');
}

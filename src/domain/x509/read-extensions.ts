/**
 * Decodes extensions strictly: each known one must have exactly the form of RFC 5280 4.2, and unknown ones must not be
 * critical. A plain Error marks what Go's crypto/x509 (parser.go, processExtensions) or BoringSSL (v3_*.cc,
 * x509v3_cache_extensions) is known to refuse, {@link OutsideProfile} anything else that differs from the form.
 */
import {defined} from '../defined.js';
import {
  childrenOf,
  contentOf,
  decodeDer,
  type Der,
  integerFault,
  isContext,
  isTag,
  OutsideProfile,
  readBitString,
  readBoolean,
  readInteger,
  readOctetString,
  readOid,
  readSequence,
  readSmallInteger,
  RefusedByProxies,
  tags,
} from '../asn1/der.js';
import {type AuthorityKeyId, extendedKeyUsageNames, extensionOids, type Extensions, keyUsages} from './extensions.js';
import {firstDirectoryName, readGeneralNames, readSubtrees} from './general-names.js';
import {readCrlDistributionPoints, readInformationAccess} from './locations.js';
import {readPolicies, readPolicyConstraints, readPolicyMappings} from './policies.js';

/** Decodes the SEQUENCE of extensions. Throws a plain Error, also for a duplicate extension, and {@link OutsideProfile}. */
export function readExtensions(value: Der | undefined): Extensions {
  if (!value) return {critical: []};
  const found = new Map<string, {readonly critical: boolean; readonly value: Buffer}>();
  const list = readSequence(value, 'extensions');
  if (list.length === 0) throw new OutsideProfile('the list of extensions is empty');
  for (const child of list) {
    const [identifier, ...fields] = readSequence(child, 'extension');
    const id = readOid(identifier, 'extension identifier');
    if (found.has(id)) throw new Error(`extension ${id} appears twice`);
    const isStated = isTag(fields[0], tags.boolean);
    const critical = isStated && readBoolean(fields[0], `criticality of ${id}`);
    // FALSE is the default, which DER omits (X.690 11.5).
    if (isStated && !critical) throw new OutsideProfile(`the criticality of extension ${id} is stated, but FALSE`);
    if (fields.length !== (isStated ? 2 : 1)) throw new Error(`extension ${id} has additional fields`);
    found.set(id, {critical, value: readOctetString(fields.at(-1), `extension ${id}`)});
  }
  const of = <T>(name: keyof typeof extensionOids, read: (value: Der, critical: boolean) => T): T | undefined => {
    const entry = found.get(extensionOids[name]);
    return entry && read(decodeDer(entry.value), entry.critical);
  };
  const notCritical = <T>(what: string, read: (value: Der) => T) => {
    return (value: Der, critical: boolean): T => {
      // Go refuses these if critical, because RFC 5280 forbids it.
      if (critical) throw new Error(`${what} is critical`);
      return read(value);
    };
  };
  of('crlDistributionPoints', readCrlDistributionPoints);
  of('authorityInfoAccess', notCritical('authority information access', readInformationAccess));
  of('policies', readPolicies);
  of('policyMappings', readPolicyMappings);
  of('inhibitAnyPolicy', (der) => {
    const number = readInteger(der, 'inhibitAnyPolicy');
    if (number.length !== 1 || (number[0] ?? 0) >= 0x80) throw new OutsideProfile('inhibitAnyPolicy is out of range');
  });
  return defined({
    basicConstraints: of('basicConstraints', readBasicConstraints),
    keyUsage: of('keyUsage', readKeyUsage),
    extendedKeyUsage: of('extendedKeyUsage', readExtendedKeyUsage),
    subjectKeyId: of('subjectKeyId', notCritical('subject key identifier', readSubjectKeyId)),
    ...of('authorityKeyId', notCritical('authority key identifier', readAuthorityKeyId)),
    subjectAltNames: of('subjectAltName', (der) =>
      readGeneralNames(isTag(der, tags.sequence) ? der : undefined, 'subject alternative name'),
    ),
    nameConstraints: of('nameConstraints', readNameConstraints),
    requiresPolicy: of('policyConstraints', readPolicyConstraints),
    critical: [...found].filter(([, {critical}]) => critical).map(([id]) => id),
  });
}

function readBasicConstraints(value: Der, critical: boolean): NonNullable<Extensions['basicConstraints']> {
  const fields = [...readSequence(value, 'basic constraints')];
  const ca = isTag(fields[0], tags.boolean) && readBoolean(fields.shift(), 'CA flag');
  const path = fields.shift();
  if (fields.length > 0) throw new OutsideProfile('the basic constraints have additional fields');
  const pathLength = path && readSmallInteger(path, 'path length');
  // BoringSSL v3_purp.cc, x509v3_cache_extensions: a path length is valid only for a CA.
  if (!ca && pathLength !== undefined)
    throw new RefusedByProxies('the basic constraints have a path length, but are not for a CA');
  if (pathLength !== undefined && pathLength > 0x7fffffff) throw new OutsideProfile('the path length is too large');
  return defined({ca, critical, pathLength});
}

function readKeyUsage(value: Der, critical: boolean): NonNullable<Extensions['keyUsage']> {
  const {bytes} = readBitString(value, 'key usage');
  const usages = keyUsages.filter((_, bit) => ((bytes[Math.floor(bit / 8)] ?? 0) & (0x80 >> (bit % 8))) !== 0);
  // BoringSSL refuses a key usage without bits (x509v3_cache_extensions).
  if (usages.length === 0) throw new RefusedByProxies('the key usage is empty');
  if (bytes.length > 2 || (bytes.length === 2 && ((bytes[1] ?? 0) & 0x7f) !== 0)) {
    throw new OutsideProfile('the key usage has unknown bits');
  }
  return {usages, critical};
}

function readExtendedKeyUsage(value: Der): readonly string[] {
  const usages = readSequence(value, 'extended key usage').map((child) => {
    const id = readOid(child, 'extended key usage');
    return extendedKeyUsageNames.get(id) ?? id;
  });
  if (usages.length === 0) throw new RefusedByProxies('the extended key usage is empty');
  return usages;
}

function readSubjectKeyId(value: Der): string {
  const id = readOctetString(value, 'subject key identifier').toString('hex');
  if (id === '') throw new OutsideProfile('the subject key identifier is empty');
  return id;
}

/** RFC 5280 4.2.1.1: by key identifier, by the issuer's issuer and serial number, or both. */
export function readAuthorityKeyId(value: Der): Pick<Extensions, 'authorityKeyId' | 'authority'> {
  const what = 'authority key identifier';
  const fields = readSequence(value, what);
  const order = fields.map(({tag}) => tag);
  if (
    fields.some((field) => !isContext(field, field.tag)) ||
    order.some((tag, index) => tag > 2 || tag <= (order[index - 1] ?? -1))
  ) {
    throw new Error(`the ${what} is not valid`);
  }
  const [keyId, issuer, serial] = [0, 1, 2].map((tag) => fields.find((field) => field.tag === tag));
  if ((issuer === undefined) !== (serial === undefined)) throw new OutsideProfile(`the ${what} is incomplete`);
  return defined({
    authorityKeyId: keyId && contentOf(keyId, what).toString('hex'),
    authority: issuer && serial && readAuthority(issuer, contentOf(serial, what)),
  });
}

function readAuthority(issuer: Der, serial: Buffer): AuthorityKeyId {
  readGeneralNames(issuer, 'authority key identifier');
  // An IMPLICIT INTEGER, which the decoder has not recognized as such; BoringSSL does.
  const fault = integerFault(serial);
  if (fault !== undefined) throw new RefusedByProxies(`the serial number in the authority key identifier: ${fault}`);
  return defined({issuer: firstDirectoryName(issuer), serial: serial.toString('hex').replace(/^(?:00)+(?=.)/, '')});
}

function readNameConstraints(value: Der, critical: boolean): NonNullable<Extensions['nameConstraints']> {
  const fields = readSequence(value, 'name constraints');
  const order = fields.map((field) => (isContext(field, field.tag) ? field.tag : -1)).join();
  if (!['0', '1', '0,1'].includes(order)) throw new Error('the name constraints are empty or not valid');
  const subtrees = (tag: number): Extensions['subjectAltNames'] => {
    const list = fields.find((field) => isContext(field, tag));
    if (!list) return [];
    if (childrenOf(list, 'name constraints').length === 0) throw new Error('the name constraints are empty');
    return readSubtrees(list);
  };
  return {permitted: subtrees(0) ?? [], excluded: subtrees(1) ?? [], critical};
}

/** The extensions that name where to download revocation lists and issuers (RFC 5280 4.2.1.13, 4.2.2.1). */
import {childrenOf, type Der, isContext, OutsideProfile, readOid, readSequence, tagClasses} from '../asn1/der.js';
import {readGeneralNames} from './general-names.js';

/**
 * Checks CRL distribution points. istiod and proxies do not download them, but refuse a certificate whose extension they
 * cannot parse (BoringSSL v3_purp.cc, setup_crldp).
 */
export function readCrlDistributionPoints(value: Der): void {
  const points = readSequence(value, 'CRL distribution points');
  if (points.length === 0) throw new OutsideProfile('the CRL distribution points are empty');
  for (const point of points) {
    const [name, issuer, ...others] = readSequence(point, 'CRL distribution point');
    if (!isContext(name, 0) || (issuer && !isContext(issuer, 2)) || others.length > 0) {
      const fields = [name, issuer, ...others].filter((field) => field !== undefined);
      if (fields.every((field) => isContext(field, field.tag) && field.tag <= 2)) {
        throw new OutsideProfile('a CRL distribution point has reasons, or no name');
      }
      throw new Error('a CRL distribution point is not valid');
    }
    if (issuer) readGeneralNames(issuer, 'issuer of a revocation list', 'location');
    const [full, ...rest] = childrenOf(name, 'CRL distribution point');
    if (rest.length > 0 || !isContext(full, 0)) throw new Error('a CRL distribution point is not valid');
    readGeneralNames(full, 'CRL distribution point', 'location');
  }
}

/** Checks authority information access: pairs of a method and a location. */
export function readInformationAccess(value: Der): void {
  const descriptions = readSequence(value, 'authority information access');
  if (descriptions.length === 0) throw new OutsideProfile('the authority information access is empty');
  for (const description of descriptions) {
    const [method, location, ...rest] = readSequence(description, 'authority information access');
    readOid(method, 'authority information access');
    if (!location || rest.length > 0) throw new OutsideProfile('an authority information access is not a pair');
    readGeneralNames(
      {tagClass: tagClasses.context, tag: 0, children: [location]},
      'authority information access',
      'location',
    );
  }
}

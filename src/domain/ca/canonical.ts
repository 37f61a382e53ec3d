/**
 * CA files as they are sent to a cluster or copied: encoded again from what was parsed. A file may contain anything besides:
 * text, comments and further blocks, among them another key.
 */
import {encodePem, parsePem} from '../asn1/pem.js';
import {recover} from '../errors.js';
import {canonicalKey} from '../keys/private-key.js';
import type {CaFiles, CaPart} from './ca-files.js';

/** The certificates of a text, and nothing else; undefined if it has none, or if it is not PEM. */
export function canonicalCertificates(text: string): string | undefined {
  // An empty chain is a finding of its own.
  return text === '' ? text : blocksAs(text, 'CERTIFICATE');
}

/** The revocation lists of a text; undefined if it has none. */
export function canonicalCrl(text: string): string | undefined {
  return text === '' ? text : blocksAs(text, 'X509 CRL');
}

/** The files in this form. A file that cannot be parsed stays as it is; it is never sent, see {@link unreadableParts}. */
export function canonicalFiles(files: CaFiles): CaFiles {
  const of = (text: string | undefined): string | undefined => text && (canonicalCertificates(text) ?? text);
  const {caCert, caKey, rootCert, certChain, crl} = files;
  return {
    ...files,
    caCert: of(caCert),
    caKey: caKey && (canonicalKey(caKey) ?? caKey),
    rootCert: of(rootCert),
    certChain: of(certChain),
    crl: crl && (canonicalCrl(crl) ?? crl),
  };
}

/** The existing parts that cannot be built, because they contain no certificate, or no key that istiod reads. */
export function unreadableParts({caKey, ...files}: CaFiles): readonly CaPart[] {
  const certificates = (['caCert', 'rootCert', 'certChain'] as const).filter((part) => {
    const text = files[part];
    return text !== undefined && canonicalCertificates(text) === undefined;
  });
  return caKey && canonicalKey(caKey) === undefined ? [...certificates, 'caKey'] : certificates;
}

function blocksAs(text: string, wanted: string): string | undefined {
  const blocks = recover(
    () => parsePem(text, 'PEM').blocks.filter(({label}) => label === wanted),
    () => [],
  );
  return blocks.length === 0 ? undefined : blocks.map(({label, bytes}) => encodePem(label, bytes)).join('');
}

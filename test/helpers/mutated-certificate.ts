/** Certificates that no tool issues: a valid certificate's fields, changed as DER and signed again by their issuer. */
import {
  bitString,
  childrenOf,
  decodeDer,
  type Der,
  derTrue,
  encodeDer,
  explicit,
  octetString,
  oid,
  sequence,
} from '../../src/domain/asn1/der.js';
import {encodeSignatureAlgorithm} from '../../src/domain/x509/algorithms.js';
import type {TinyCa} from './tiny-ca.js';

/** The fields of the to-be-signed part of a v3 certificate, in order. */
export interface Fields {
  version: Der | undefined;
  serial: Der;
  algorithm: Der;
  issuer: Der;
  validity: Der;
  subject: Der;
  publicKey: Der;
  /** The extensions as DER, each a SEQUENCE. */
  extensions: readonly Der[];
}

/** The DER of the certificate of `ca`, with changed fields, signed by `issuer`. */
export async function mutatedCertificate(
  ca: TinyCa,
  issuer: TinyCa,
  change: (fields: Fields) => void,
): Promise<Buffer> {
  const [tbs] = childrenOf(decodeDer(ca.certificate.der), 'certificate');
  const [version, serial, algorithm, ownIssuer, validity, subject, publicKey, wrapped] = childrenOf(tbs, 'tbs');
  if (!version || !serial || !algorithm || !ownIssuer || !validity || !subject || !publicKey || !wrapped) {
    throw new Error('not a v3 certificate');
  }
  const extensions = childrenOf(childrenOf(wrapped, 'extensions')[0], 'extensions');
  const fields: Fields = {version, serial, algorithm, issuer: ownIssuer, validity, subject, publicKey, extensions};
  change(fields);
  const changed = encodeDer(
    sequence(
      ...(fields.version ? [fields.version] : []),
      fields.serial,
      fields.algorithm,
      fields.issuer,
      fields.validity,
      fields.subject,
      fields.publicKey,
      explicit(3, sequence(...fields.extensions)),
    ),
  );
  const signature = await issuer.signer.sign(changed);
  return encodeDer(
    sequence(decodeDer(changed), encodeSignatureAlgorithm(issuer.signer.algorithm), bitString(signature)),
  );
}

/** An extension with this value. */
export function extensionOf(id: string, value: Der, isCritical = false): Der {
  return sequence(oid(id), ...(isCritical ? [derTrue] : []), octetString(encodeDer(value)));
}

/** A primitive value of a universal type. */
export function universal(tag: number, content: Uint8Array | string): Der {
  return {
    tagClass: 0,
    tag,
    content: typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content),
  };
}

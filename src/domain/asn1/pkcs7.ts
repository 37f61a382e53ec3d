/**
 * PKCS#7 as CAs return chains in (.p7b, .p7c; `openssl crl2pkcs7`, Microsoft's certsrv): SignedData, of which only the
 * certificates are of interest (RFC 2315 9.1, RFC 5652 5.1). Its signatures are not looked at: each certificate is
 * verified for what it is.
 */
import {asMeshError, MeshError} from '../errors.js';
import {type Ber, readBer, readBerValues} from './ber.js';

/** id-signedData, as its content octets. */
const signedData = Buffer.from('2a864886f70d010702', 'hex');

const identifiers = {integer: 0x02, oid: 0x06, sequence: 0x30, context0: 0xa0, set: 0x31} as const;

/** Whether these bytes are a PKCS#7 ContentInfo of signed data, whatever may be wrong inside. */
export function isPkcs7(bytes: Buffer): boolean {
  try {
    const [type] = childrenOf(readBer(bytes), identifiers.sequence);
    return type?.identifier === identifiers.oid && type.content.equals(signedData);
  } catch {
    return false;
  }
}

/** The certificates of a PKCS#7, each byte for byte as it stands there. `what` names it in messages. Throws `NOT_A_CERTIFICATE`. */
export function readPkcs7(bytes: Buffer, what: string): readonly Buffer[] {
  try {
    const [, wrapped] = childrenOf(readBer(bytes), identifiers.sequence);
    const [content] = childrenOf(wrapped, identifiers.context0);
    // version, digestAlgorithms, contentInfo, [0] certificates, [1] crls, signerInfos.
    const [version, digests, info, certificates] = childrenOf(content, identifiers.sequence);
    if (version?.identifier !== identifiers.integer || digests?.identifier !== identifiers.set || !info) {
      throw new Error('it is not SignedData');
    }
    if (certificates?.identifier !== identifiers.context0) throw new Error('it holds no certificates');
    // Other choices than a certificate (attribute certificates, other formats) have context tags.
    return readBerValues(certificates.content)
      .filter(({identifier}) => identifier === identifiers.sequence)
      .map(({whole}) => Buffer.from(whole));
  } catch (thrown) {
    throw new MeshError('NOT_A_CERTIFICATE', `${what}: the PKCS#7 cannot be read: ${asMeshError(thrown).message}`, {
      cause: thrown,
    });
  }
}

function childrenOf(value: Ber | undefined, identifier: number): readonly Ber[] {
  if (value?.identifier !== identifier) throw new Error('it is not SignedData');
  return readBerValues(value.content);
}

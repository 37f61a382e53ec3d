import {MeshError} from '../domain/errors.js';

/** Record and message types of TLS (RFC 5246 6.2.1, 7.4). */
const handshakeRecord = 22;
const certificateMessage = 11;
const recordHeader = 5;
const messageHeader = 4;
const lengthBytes = 3;

/**
 * The certificates of a TLS 1.2 server's Certificate message, in the order they were sent, from the bytes the server
 * sent. Throws `UNREACHABLE` when there is no such message.
 */
export function certificatesOfHandshake(bytes: Buffer): readonly Buffer[] {
  const messages = handshakeBytes(bytes);
  for (let at = 0; at + messageHeader <= messages.length;) {
    const type = messages.readUInt8(at);
    const length = messages.readUIntBE(at + 1, lengthBytes);
    const body = messages.subarray(at + messageHeader, at + messageHeader + length);
    if (type === certificateMessage && body.length === length) return readList(body);
    at += messageHeader + length;
  }
  throw new MeshError('UNREACHABLE', 'the server sent no certificates');
}

/** What the clear handshake records carry, put together: a message may be spread over several records. */
function handshakeBytes(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + recordHeader <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 3);
    // Everything after the change of cipher is encrypted.
    if (bytes.readUInt8(at) !== handshakeRecord) break;
    parts.push(bytes.subarray(at + recordHeader, at + recordHeader + length));
    at += recordHeader + length;
  }
  return Buffer.concat(parts);
}

function readList(body: Buffer): readonly Buffer[] {
  const certificates: Buffer[] = [];
  for (let at = lengthBytes; at + lengthBytes <= body.length;) {
    const length = body.readUIntBE(at, lengthBytes);
    certificates.push(Buffer.from(body.subarray(at + lengthBytes, at + lengthBytes + length)));
    at += lengthBytes + length;
  }
  return certificates;
}

/**
 * Reads the certificates that a TLS server presents, without verifying them. Reports exactly what the server sent: the
 * bytes of its Certificate message, in order, including a root. node:tls does not provide this (getPeerCertificate
 * follows issuers through its own store, drops unrelated certificates and loops at the root), but up to TLS 1.2 the
 * message is not encrypted (RFC 5246 7.4.2), and completing the handshake proves possession of the leaf's key.
 */
import {defined} from '../domain/defined.js';
import {connect} from 'node:net';
import {Duplex} from 'node:stream';
import {connect as connectTls} from 'node:tls';
import {MeshError} from '../domain/errors.js';
import {bounded} from './bounded.js';

/** The target. */
export interface TlsProbeRequest {
  /** An IP address or hostname; absent: this machine, usually with a forwarded port. */
  readonly host?: string;
  readonly port: number;
  /** Sent as SNI. */
  readonly servername: string;
  /** Default: `h2`. */
  readonly applicationProtocols?: readonly string[];
  /**
   * Accepts the certificates of a server that requires one from the client, and therefore ends the handshake: by then, it has proved
   * possession of the leaf's key (RFC 5246 7.4.3, 7.4.4).
   */
  readonly refusesClient?: true;
  /** For the connection and the whole handshake. Milliseconds. */
  readonly timeoutMs: number;
}

/** Probes TLS servers. */
export interface TlsProbe {
  /**
   * Returns the presented certificates as DER, leaf first. Throws `UNREACHABLE` without a response in time or if the
   * handshake fails, and the signal's abort reason (`INTERRUPTED`).
   */
  presentedChain(request: TlsProbeRequest): Promise<readonly Buffer[]>;
}

/** Creates a probe that stops when the signal aborts. */
export function createTlsProbe(signal: AbortSignal): TlsProbe {
  return {presentedChain: (request) => presentedChain(request, signal)};
}

async function presentedChain(request: TlsProbeRequest, signal: AbortSignal): Promise<readonly Buffer[]> {
  signal.throwIfAborted();
  const socket = connect({host: request.host ?? '127.0.0.1', port: request.port});
  const received: Buffer[] = [];
  const tls = connectTls({
    socket: recordReceived(socket, received),
    servername: request.servername,
    // The probe only reads the chain; its callers verify it.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ALPNProtocols: [...(request.applicationProtocols ?? ['h2'])],
  });
  try {
    const late = (): MeshError => unreachable(request, `no TLS handshake within ${String(request.timeoutMs / 1000)} s`);
    await bounded({timeoutMs: request.timeoutMs, timeoutError: late, signal}, (resolve, fail) => {
      // The first error is the reason; later ones result from closing the connection.
      const failed = (why: string, error?: Error): void => {
        if (request.refusesClient === true && isRefused(received)) resolve(undefined);
        else fail(unreachable(request, why, error));
      };
      const ended = (error: Error): void => {
        failed(error.message, error);
      };
      tls.once('secureConnect', resolve).on('error', ended);
      socket.on('error', ended).once('close', () => {
        failed('the connection was closed');
      });
    });
    return certificatesOfHandshake(Buffer.concat(received));
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

/** Wraps the socket in a stream that copies the received bytes. */
function recordReceived(socket: ReturnType<typeof connect>, received: Buffer[]): Duplex {
  const stream = new Duplex({
    read() {
      socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      socket.write(chunk, done);
    },
    final(done) {
      socket.end(done);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    if (!stream.push(chunk)) socket.pause();
  });
  socket.on('end', () => {
    stream.push(null);
  });
  // The caller that waits for the handshake handles the socket's errors itself.
  stream.on('error', () => undefined);
  return stream;
}

function unreachable({host, port, servername}: TlsProbeRequest, why: string, cause?: unknown): MeshError {
  const place = host === undefined ? `local port ${String(port)}` : `${host}:${String(port)}`;
  return new MeshError('UNREACHABLE', `no TLS with ${servername} through ${place}: ${why}`, defined({cause}));
}

/** Record and message types of TLS, and the bytes of their headers (RFC 5246 6.2.1, 7.4). */
const handshakeRecord = {type: 22, header: 5, length: 2};
const certificateMessage = {type: 11, header: 4, length: 3};
const certificateRequestType = 13;
const serverHelloDoneType = 14;
const listedCertificate = {header: 3, length: 3};

/**
 * Extracts the certificates of a TLS 1.2 server's Certificate message from the bytes it sent, in the order sent. Throws
 * `UNREACHABLE` if there is no such message.
 */
function certificatesOfHandshake(bytes: Buffer): readonly Buffer[] {
  const message = messagesOf(bytes).find(({type, isComplete}) => type === certificateMessage.type && isComplete);
  if (!message) throw new MeshError('UNREACHABLE', 'the server sent no certificates');
  const list = message.body.subarray(listedCertificate.length);
  return [...pieces(list, listedCertificate)].map(({body}) => Buffer.from(body));
}

/** The messages that a TLS 1.2 server sent without encryption. */
function messagesOf(bytes: Buffer) {
  const records = [...pieces(bytes, handshakeRecord)];
  // Everything after the change of cipher is encrypted.
  const end = records.findIndex(({type}) => type !== handshakeRecord.type);
  const plaintext = end === -1 ? records : records.slice(0, end);
  // A message may span several records.
  return [...pieces(Buffer.concat(plaintext.map(({body}) => body)), certificateMessage)];
}

/** Whether a server has sent all its messages, and requires a certificate. */
function isRefused(received: readonly Buffer[]): boolean {
  const types = messagesOf(Buffer.concat(received)).map(({type}) => type);
  return types.includes(certificateRequestType) && types.includes(serverHelloDoneType);
}

/** Splits a sequence of elements, each preceded by a header that ends with its length. */
function* pieces(bytes: Buffer, {header, length}: {readonly header: number; readonly length: number}) {
  for (let at = 0; at + header <= bytes.length;) {
    const start = at + header;
    const end = start + bytes.readUIntBE(start - length, length);
    yield {type: bytes.readUInt8(at), body: bytes.subarray(start, end), isComplete: end <= bytes.length};
    at = end;
  }
}

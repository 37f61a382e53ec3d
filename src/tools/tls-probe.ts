/**
 * Asks a TLS server which certificates it presents, without believing them. What is reported is what was sent: the
 * bytes of the server's Certificate message, in order and with the root if it is there. node:tls does not tell that
 * (getPeerCertificate follows issuers through its own store, drops strangers and loops at the root), but up to TLS 1.2
 * that message is in the clear (RFC 5246 7.4.2), and the handshake that goes on proves the leaf's key.
 */
import {defined} from '../domain/defined.js';
import {connect} from 'node:net';
import {Duplex} from 'node:stream';
import {connect as connectTls} from 'node:tls';
import {MeshError} from '../domain/errors.js';
import {bounded} from './bounded.js';
import {certificatesOfHandshake} from './tls-certificates.js';

/** What is probed: a port on this machine, usually a forwarded one. */
export interface TlsProbeRequest {
  readonly port: number;
  /** Sent as SNI. */
  readonly servername: string;
  /** For connecting and the whole handshake. Milliseconds. */
  readonly timeoutMs: number;
}

/** Looks at TLS servers. */
export interface TlsProbe {
  /**
   * The presented certificates as DER, leaf first. Throws `UNREACHABLE` when nothing answers in time or the handshake
   * fails, `INTERRUPTED` or whatever the signal was aborted with.
   */
  presentedChain(request: TlsProbeRequest): Promise<readonly Buffer[]>;
}

/** Makes a probe that stops when the signal aborts. */
export function createTlsProbe(signal: AbortSignal): TlsProbe {
  return {
    presentedChain: (request) => presentedChain(request, signal),
  };
}

async function presentedChain(request: TlsProbeRequest, signal: AbortSignal): Promise<readonly Buffer[]> {
  signal.throwIfAborted();
  const socket = connect({host: '127.0.0.1', port: request.port});
  const received: Buffer[] = [];
  const tls = connectTls({
    socket: listeningIn(socket, received),
    servername: request.servername,
    // Seeing is the purpose: whether the chain is right is judged elsewhere, with what was seen.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
  });
  try {
    const late = (): MeshError => unreachable(request, `no TLS handshake within ${String(request.timeoutMs / 1000)} s`);
    await bounded({timeoutMs: request.timeoutMs, late, signal}, (resolve, fail) => {
      tls.once('secureConnect', resolve);
      // The first error is the reason; later ones come from tearing down.
      tls.on('error', (error: Error) => {
        fail(unreachable(request, error.message, error));
      });
      socket.on('error', (error) => {
        fail(unreachable(request, error.message, error));
      });
      socket.once('close', () => {
        fail(unreachable(request, 'the connection was closed'));
      });
    });
    return certificatesOfHandshake(Buffer.concat(received));
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

/** The socket as a stream that keeps a copy of what arrives. */
function listeningIn(socket: ReturnType<typeof connect>, received: Buffer[]): Duplex {
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
  // Whoever waits for the handshake hears of the socket's errors itself.
  stream.on('error', () => undefined);
  return stream;
}

function unreachable({port, servername}: TlsProbeRequest, why: string, cause?: unknown): MeshError {
  return new MeshError(
    'UNREACHABLE',
    `no TLS with ${servername} through local port ${String(port)}: ${why}`,
    defined({cause}),
  );
}

/**
 * A live mutual TLS handshake between two workloads, as two sidecars make it: each side shows its own chain, verifies the
 * other's against the roots it was given itself, and looks for the other's SPIFFE ID.
 */
import {connect, createServer, type PeerCertificate, type TLSSocket} from 'node:tls';
import {spiffeId, type Identity} from './workload.js';

/** How a handshake ended: both sides satisfied, or the first complaint. */
export type Handshake =
  {readonly ok: true} | {readonly ok: false; readonly by: 'client' | 'server'; readonly reason: string};

/** Connects `client` to `server` on loopback and lets them exchange a word. */
export function handshake(client: Identity, server: Identity): Promise<Handshake> {
  return new Promise((resolve) => {
    const listener = createServer({
      cert: server.certificates,
      key: server.key,
      ca: server.roots,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
    const finish = (result: Handshake): void => {
      clearTimeout(silence);
      listener.close();
      socket?.destroy();
      resolve(result);
    };
    const silence = setTimeout(() => {
      finish({ok: false, by: 'server', reason: 'no word from the server in 10 s'});
    }, 10_000);
    let socket: TLSSocket | undefined;
    listener.on('tlsClientError', (error) => {
      // The client's own refusal reaches the server as an alert; the client tells it better.
      if (!error.message.includes('alert')) finish({ok: false, by: 'server', reason: error.message});
    });
    listener.on('secureConnection', (accepted) => {
      accepted.on('error', () => undefined);
      const complaint = complain(accepted.getPeerCertificate(), client);
      if (complaint === undefined) accepted.end('hello');
      else finish({ok: false, by: 'server', reason: complaint});
    });
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      socket = connect({
        host: '127.0.0.1',
        port,
        cert: client.certificates,
        key: client.key,
        ca: client.roots,
        // Istio identifies by SPIFFE ID, not by host name.
        checkServerIdentity: (_host, certificate) => {
          const complaint = complain(certificate, server);
          return complaint === undefined ? undefined : new Error(complaint);
        },
      });
      // TLS 1.3 lets the client finish before the server has judged it: only the server's word says that both accepted.
      socket.on('data', () => {
        finish({ok: true});
      });
      socket.on('error', (error: Error) => {
        if (!/alert|ECONNRESET|EPIPE/.test(error.message)) finish({ok: false, by: 'client', reason: error.message});
      });
    });
  });
}

/** Handshakes in both directions. */
export async function bothWays(
  a: Identity,
  b: Identity,
): Promise<{readonly there: Handshake; readonly back: Handshake}> {
  return {there: await handshake(a, b), back: await handshake(b, a)};
}

function complain(certificate: PeerCertificate, expected: Identity): string | undefined {
  const found = spiffeId(certificate.subjectaltname);
  return found === expected.spiffeId ? undefined : `peer is ${found ?? 'nobody'}, not ${expected.spiffeId}`;
}

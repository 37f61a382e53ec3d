import {createServer, type RequestListener, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {createSecureContext} from 'node:tls';
import {afterEach, describe, expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {createVaultHttp, type VaultHttpRequest} from '../../src/tools/vault-http.js';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener, path = '') {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  const address = new URL(`http://127.0.0.1:${String(port)}${path}`);
  const http = createVaultHttp({address, tls: createSecureContext()});
  const request = {method: 'GET', path: '/v1/x', headers: {}, timeoutMs: 5000} as const;
  return (more: Partial<VaultHttpRequest> = {}) =>
    http.send({...request, signal: new AbortController().signal, ...more});
}

describe('the HTTP client for Vault', () => {
  it("sends requests below the address's path, and returns the response", async () => {
    const ask = await serve((request, response) => {
      let text = '';
      request.on('data', (piece: Buffer) => (text += piece.toString()));
      request.on('end', () => {
        response.writeHead(418, {'content-type': 'application/json', 'retry-after': '7', location: '/there'});
        response.end(JSON.stringify([request.method, request.url, request.headers['x-token'], text]));
      });
    }, '/vault/');
    const answer = await ask({method: 'POST', headers: {'X-Token': 'one'}, body: {a: 'ü'}});
    expect(answer).toMatchObject({status: 418, contentType: 'application/json', location: '/there', retryAfter: 7});
    expect(JSON.parse(answer.text)).toEqual(['POST', '/vault/v1/x', 'one', '{"a":"ü"}']);
  });

  it('stops at the timeout', async () => {
    const ask = await serve(() => undefined);
    await expect(ask({timeoutMs: 50})).rejects.toMatchObject({code: 'SIGNER_UNAVAILABLE'});
  });

  it('throws the abort reason when the run is aborted', async () => {
    const abort = new AbortController();
    const ask = await serve(() => abort.abort(new MeshError('TIMEOUT', 'over')));
    await expect(ask({signal: abort.signal})).rejects.toMatchObject({code: 'TIMEOUT'});
    await expect(ask({signal: abort.signal})).rejects.toMatchObject({code: 'TIMEOUT'});
  });

  it('refuses an endless response', async () => {
    const ask = await serve((_, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(1024 * 1024), more);
      };
      more();
    });
    await expect(ask()).rejects.toMatchObject({code: 'SIGNER_UNAVAILABLE'});
  });

  it.each<readonly [what: string, listener: RequestListener]>([
    ['breaks off', (request) => request.socket.destroy()],
    ['breaks off in its answer', (_, response) => response.write('x', () => response.destroy())],
    ['speaks no HTTP', (request) => request.socket.end('SSH-2.0-OpenSSH\r\n')],
  ])('says it of a server that %s', async (_, listener) => {
    await expect((await serve(listener))()).rejects.toMatchObject({code: 'SIGNER_UNAVAILABLE'});
  });
});

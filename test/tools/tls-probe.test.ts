import {createServer as createTcpServer, type AddressInfo, type Server} from 'node:net';
import {createServer} from 'node:tls';
import {afterEach, describe, expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {createTlsProbe} from '../../src/tools/tls-probe.js';
import {tinyClusterCa, tinyLeaf, tinyRoot, type TinyCa} from '../helpers/tiny-ca.js';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(leaf: TinyCa, chain: readonly TinyCa[]): Promise<number> {
  const cert = [leaf, ...chain].map(({certificate}) => certificate.pem).join('');
  return listen(createServer({key: writePrivateKey(leaf.key).reveal(), cert}, (socket) => socket.on('error', () => 0)));
}

const probe = createTlsProbe(new AbortController().signal);
const requested = {servername: 'istiod.istio-system.svc', timeoutMs: 10_000};

describe('the TLS probe', () => {
  it('reports the certificates in the order sent, including the root', async () => {
    const root = await tinyRoot();
    const ca = await tinyClusterCa(root, 'c1');
    const leaf = await tinyLeaf(ca);
    const port = await serve(leaf, [ca, root]);
    const chain = await probe.presentedChain({port, ...requested});
    expect(chain).toEqual([leaf, ca, root].map(({certificate}) => certificate.der));
  });

  it('reports the certificates of a server that requires one from the client', async () => {
    const root = await tinyRoot();
    const ca = await tinyClusterCa(root, 'c1');
    const leaf = await tinyLeaf(ca);
    const cert = [leaf, ca].map(({certificate}) => certificate.pem).join('');
    const options = {key: writePrivateKey(leaf.key).reveal(), cert, ca: root.certificate.pem, requestCert: true};
    const port = await listen(createServer({...options, rejectUnauthorized: true, ALPNProtocols: ['istio']}));
    const request = {
      ...requested,
      host: 'localhost',
      port,
      applicationProtocols: ['istio'],
      refusesClient: true,
    } as const;
    expect(await probe.presentedChain(request)).toEqual([leaf, ca].map(({certificate}) => certificate.der));
  });

  it('reports no certificates that the server did not finish presenting', async () => {
    const port = await listen(createTcpServer((socket) => socket.destroy()));
    await expect(probe.presentedChain({port, ...requested, refusesClient: true})).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  it('reports unrelated and duplicate certificates', async () => {
    const root = await tinyRoot();
    const other = await tinyRoot();
    const leaf = await tinyLeaf(await tinyClusterCa(root, 'c1'));
    const port = await serve(leaf, [other, root, other]);
    const chain = await probe.presentedChain({port, ...requested});
    expect(chain).toEqual([leaf, other, root, other].map(({certificate}) => certificate.der));
  });

  it('reports a chain that is larger than one TLS record', async () => {
    const root = await tinyRoot();
    const leaf = await tinyLeaf(await tinyClusterCa(root, 'c1'));
    const many = Array.from({length: 60}, () => root);
    const port = await serve(leaf, many);
    expect(await probe.presentedChain({port, ...requested})).toHaveLength(61);
  });

  it.each([
    ['nothing listens', () => Promise.resolve(1)],
    ['the other side speaks no TLS', () => listen(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n')))],
    ['the other side closes at once', () => listen(createTcpServer((socket) => socket.destroy()))],
  ])('says UNREACHABLE when %s', async (_, start) => {
    const port = await start();
    const thrown: unknown = await probe.presentedChain({port, ...requested}).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(MeshError);
    expect(thrown).toMatchObject({code: 'UNREACHABLE'});
  });

  it('times out if the server does not respond', async () => {
    const port = await listen(createTcpServer());
    await expect(probe.presentedChain({port, ...requested, timeoutMs: 50})).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  it('stops when the run is aborted', async () => {
    const abort = new AbortController();
    const port = await listen(
      createTcpServer(() => {
        abort.abort(new MeshError('INTERRUPTED', 'stopped'));
      }),
    );
    const interrupted = createTlsProbe(abort.signal).presentedChain({port, ...requested});
    await expect(interrupted).rejects.toMatchObject({code: 'INTERRUPTED'});
  });
});

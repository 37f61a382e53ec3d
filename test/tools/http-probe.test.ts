import {createServer, type RequestListener} from 'node:http';
import {createServer as createTcpServer, type AddressInfo, type Server} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {createHttpProbe} from '../../src/tools/http-probe.js';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const http = (answer: RequestListener): Promise<number> => listen(createServer(answer));
const tcp = (text: string): Promise<number> =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(text);
    }),
  );

const probe = createHttpProbe(new AbortController().signal);
const requested = {path: '/metrics', timeoutMs: 10_000, maxBytes: 1000};

describe('the HTTP probe', () => {
  it('requests the path and returns status and text', async () => {
    const port = await http((request, response) => {
      response.writeHead(200).end(`${request.method ?? ''} ${request.url ?? ''} é`);
    });
    expect(await probe.get({port, ...requested})).toEqual({status: 200, text: 'GET /metrics é'});
  });

  it('follows no redirect', async () => {
    let requests = 0;
    const port = await http((_, response) => {
      requests++;
      response.writeHead(302, {location: '/elsewhere'}).end();
    });
    expect(await probe.get({port, ...requested})).toEqual({status: 302, text: ''});
    expect(requests).toBe(1);
  });

  it('accepts a response of exactly the maximum length', async () => {
    const port = await http((_, response) => response.end('x'.repeat(requested.maxBytes)));
    expect((await probe.get({port, ...requested})).text).toHaveLength(requested.maxBytes);
  });

  it('joins characters that are split over chunks', async () => {
    const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
    const port = await http((_, response) => {
      response.write(first);
      setTimeout(() => response.end(second), 20);
    });
    expect((await probe.get({port, ...requested})).text).toBe('é');
  });

  it.each<[string, string, () => Promise<number>]>([
    ['nothing listens', 'UNREACHABLE', () => Promise.resolve(1)],
    ['the other side closes at once', 'UNREACHABLE', () => tcp('')],
    ['the answer ends early', 'UNREACHABLE', () => tcp('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')],
    ['the other side speaks no HTTP', 'API_ERROR', () => tcp('SSH-2.0-OpenSSH_9.6\r\n')],
    ['the chunks are garbage', 'API_ERROR', () => tcp('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n')],
    ['the headers have no end', 'API_ERROR', () => tcp(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`)],
    ['the answer is too long', 'API_ERROR', () => http((_, response) => response.end('x'.repeat(1001)))],
    [
      'the answer never ends',
      'API_ERROR',
      () =>
        http((_, response) => {
          const more = (): boolean => response.destroyed || (response.write('x'.repeat(100)), setImmediate(more), true);
          more();
        }),
    ],
  ])('says why when %s: %s', async (_, code, start) => {
    const port = await start();
    const thrown: unknown = await probe.get({port, ...requested}).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(MeshError);
    expect(thrown).toMatchObject({code});
  });

  it.each<[string, () => Promise<number>]>([
    ['says nothing', () => listen(createTcpServer())],
    ['stops in the middle', () => http((_, response) => response.writeHead(200).write('begin'))],
  ])('gives up in time when the other side %s', async (_, start) => {
    const port = await start();
    await expect(probe.get({port, ...requested, timeoutMs: 100})).rejects.toMatchObject({code: 'UNREACHABLE'});
  });

  it('stops when the run is aborted, and does not start after that', async () => {
    const abort = new AbortController();
    let requests = 0;
    const port = await http(() => {
      requests++;
      abort.abort(new MeshError('INTERRUPTED', 'stopped'));
    });
    const stopped = createHttpProbe(abort.signal);
    await expect(stopped.get({port, ...requested})).rejects.toMatchObject({code: 'INTERRUPTED'});
    await expect(stopped.get({port, ...requested})).rejects.toMatchObject({code: 'INTERRUPTED'});
    expect(requests).toBe(1);
  });
});

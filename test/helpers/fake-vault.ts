/**
 * A server that answers like Vault's PKI engine, over TLS, with whatever a test wants it to say. All of its certificates
 * are made by openssl: the server's own, the CA that signs, and what it makes of a request.
 */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer as createPlainServer, type RequestListener, type ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {openssl} from './openssl.js';

/** What is answered: a status and a body; text is sent as HTML. */
export interface FakeAnswer {
  readonly status: number;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as it came. */
export interface FakeRequest {
  /** `GET pki/issuer/default/json`: the method and the path below /v1/. */
  readonly route: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How openssl issues the certificate: lines of an extensions section, days, the subject; otherwise as requested. */
export interface Signing {
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly subject?: string;
  /** A certificate for another key than the request's. */
  readonly otherKey?: boolean;
}

/** The server. */
export interface FakeVault {
  readonly address: string;
  /** A file of it: `tls-ca.pem` (the CA of its own certificate), `root.pem`, `policy.pem`. */
  file(name: string): string;
  readonly requests: FakeRequest[];
  /** Answers a route otherwise from now on. */
  on(route: string, answer: FakeAnswer): void;
  /** Makes something else of requests from now on. */
  sign(signing: Signing): void;
  /** As it was at the start. */
  reset(): void;
  close(): Promise<void>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

/** What a cluster CA of ours has. */
export const requestedExtensions = [
  'basicConstraints=critical,CA:TRUE,pathlen:0',
  'keyUsage=critical,digitalSignature,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
] as const;

/** Starts one. `tls`: what its own certificate is like; `plain`: without TLS. */
export async function startFakeVault(tls: 'good' | 'expired' | 'plain' = 'good'): Promise<FakeVault> {
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-mesh-vault-'));
  const file = (name: string): string => join(directory, name);
  const read = (name: string): string => readFileSync(file(name), 'utf8');
  makeCertificates(file, tls);
  const requests: FakeRequest[] = [];
  const routes = new Map<string, FakeAnswer>();
  let signing: Signing = {};

  const usual = (route: string, body: FakeRequest['body']): FakeAnswer => {
    const chain = [read('policy.pem'), read('root.pem')];
    switch (route) {
      case 'GET pki/issuer/default/json':
        return {status: 200, body: {data: {certificate: chain[0], ca_chain: chain}}};
      case 'POST sys/capabilities-self':
        return {status: 200, body: {data: {capabilities: ['update']}}};
      case 'POST pki/root/sign-intermediate': {
        const certificate = signRequest(file, body, signing);
        return {status: 200, body: {data: {certificate, issuing_ca: chain[0], ca_chain: chain}, warnings: null}};
      }
      case 'GET auth/token/lookup-self':
        return {status: 200, body: {data: {policies: ['default', 'mesh']}}};
      default:
        return {status: 404, body: {errors: []}};
    }
  };
  const listener: RequestListener = (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const route = `${request.method ?? ''} ${(request.url ?? '').replace('/v1/', '')}`;
      const body = (text === '' ? {} : JSON.parse(text)) as FakeRequest['body'];
      requests.push({route, headers: request.headers, body});
      send(response, routes.get(route) ?? usual(route, body));
    });
  };
  const server =
    tls === 'plain'
      ? createPlainServer(listener)
      : createServer({cert: read('tls.pem'), key: read('tls-key.pem')}, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  return {
    address: `${tls === 'plain' ? 'http' : 'https'}://127.0.0.1:${String(port)}`,
    file,
    requests,
    on: (route, answer) => routes.set(route, answer),
    sign: (other) => (signing = other),
    reset() {
      routes.clear();
      requests.length = 0;
      signing = {};
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, {recursive: true});
    },
  };
}

function send(response: ServerResponse, {status, body = '', headers = {}}: FakeAnswer): void {
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  response.writeHead(status, {'content-type': type, ...headers});
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function makeCertificates(file: (name: string) => string, tls: 'good' | 'expired' | 'plain'): void {
  const make = (name: string, subject: string, extensions: readonly string[], above?: string): void => {
    openssl([
      ...['req', '-x509', ...newKey, '-keyout', file(`${name}-key.pem`), '-out', file(`${name}.pem`)],
      ...['-days', '3650', '-subj', subject, ...extensions.flatMap((line) => ['-addext', line])],
      ...(above === undefined ? [] : ['-CA', file(`${above}.pem`), '-CAkey', file(`${above}-key.pem`)]),
    ]);
  };
  const ca = ['keyUsage=critical,keyCertSign,cRLSign'];
  make('tls-ca', '/CN=CA of the server', ca);
  make('tls', '/CN=vault', ['subjectAltName=IP:127.0.0.1', 'basicConstraints=critical,CA:FALSE'], 'tls-ca');
  make('root', '/O=Acme/CN=Root', ca);
  make('policy', '/O=Acme/CN=Policy CA', ca, 'root');
  if (tls !== 'expired') return;
  openssl(['req', '-new', '-key', file('tls-key.pem'), '-subj', '/CN=vault', '-out', file('tls.csr')]);
  writeFileSync(file('tls.ext'), 'subjectAltName=IP:127.0.0.1\n');
  openssl([
    ...['x509', '-req', '-in', file('tls.csr'), '-CA', file('tls-ca.pem'), '-CAkey', file('tls-ca-key.pem')],
    ...['-days', '-1', '-extfile', file('tls.ext'), '-out', file('tls.pem')],
  ]);
}

function signRequest(file: (name: string) => string, body: FakeRequest['body'], signing: Signing): string {
  const {extensions = requestedExtensions, days = 730, subject, otherKey = false} = signing;
  writeFileSync(file('request.csr'), String(body.csr));
  writeFileSync(file('request.ext'), `${extensions.join('\n')}\n`);
  if (otherKey)
    openssl(['req', '-new', ...newKey, '-keyout', file('x.pem'), '-subj', '/CN=x', '-out', file('request.csr')]);
  return openssl([
    ...['x509', '-req', '-in', file('request.csr'), '-CA', file('policy.pem'), '-CAkey', file('policy-key.pem')],
    ...['-days', String(days), '-extfile', file('request.ext'), ...(subject === undefined ? [] : ['-subj', subject])],
  ]);
}

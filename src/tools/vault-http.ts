/**
 * Asks an HTTP API questions in JSON, over TLS that is always verified: Vault's and OpenBao's. No redirect is followed,
 * no proxy is taken from the environment, no connection outlives its answer, and no answer is larger than allowed.
 * Plain HTTP is the caller's to refuse.
 */
import {formatSize} from '../domain/format.js';
import {defined} from '../domain/defined.js';
import {request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import type {SecureContext} from 'node:tls';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {sendRequest, ResponseTooLargeError} from './http.js';

/** Far above what a certificate chain needs. Bytes. */
const maxBytes = 4 * 1024 * 1024;

/** Where, and how it is known to be the right one. */
export interface VaultHttpOptions {
  /** Its path is put before that of every request. */
  readonly address: URL;
  /** Which CAs are trusted, and what this side shows. */
  readonly tls: SecureContext;
  /** The name that the server's certificate must have, where it is not that of the address. */
  readonly serverName?: string | undefined;
}

/** One question. */
export interface VaultHttpRequest {
  readonly method: 'GET' | 'POST';
  /** With a leading slash, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object | undefined;
  /** For connecting and the whole answer. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What was answered, whatever the status. */
export interface VaultHttpResponse {
  readonly status: number;
  readonly contentType: string;
  /** The body as UTF-8. */
  readonly text: string;
  readonly location: string | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

/** Asks one server. */
export interface VaultHttp {
  /**
   * Throws `SIGNER_UNAVAILABLE` with the reason when nobody answers, TLS cannot be verified or the answer has no end;
   * `INTERRUPTED`, or whatever the signal was aborted with.
   */
  ask(request: VaultHttpRequest): Promise<VaultHttpResponse>;
}

/** Makes one. */
export function createVaultHttp(options: VaultHttpOptions): VaultHttp {
  return {
    async ask(request) {
      const {signal, timeoutMs} = request;
      const {status, headers, text} = await sendRequest(() => send(request, options), {
        timeoutMs,
        maxBytes,
        signal,
        late: () => unavailable(options, `no answer within ${String(timeoutMs / 1000)} s`, [reachHint]),
        explain: (error) => explain(error, options),
      });
      const after = Number(headers['retry-after']);
      return {
        status,
        contentType: headers['content-type'] ?? '',
        text,
        location: headers.location,
        retryAfter: Number.isFinite(after) && after >= 0 ? after : undefined,
      };
    },
  };
}

function send({method, path, headers, body}: VaultHttpRequest, {address, tls, serverName}: VaultHttpOptions) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const common = {
    method,
    // A URL keeps the brackets of an IPv6 address, a socket does not want them.
    host: address.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(address.port !== '' && {port: Number(address.port)}),
    path: address.pathname.replace(/\/+$/, '') + path,
    agent: false as const,
  };
  const verified = {
    // Said, so that NODE_TLS_REJECT_UNAUTHORIZED=0 has no say.
    rejectUnauthorized: true,
    secureContext: tls,
    ...(serverName !== undefined && {servername: serverName}),
  };
  const sent = address.protocol === 'http:' ? requestHttp(common) : requestHttps({...common, ...verified});
  // Not among the options: NODE_DEBUG=http prints those.
  const all = {...headers, accept: 'application/json', connection: 'close'};
  for (const [name, value] of Object.entries(all)) sent.setHeader(name, value);
  if (text !== undefined) {
    sent.setHeader('content-type', 'application/json');
    sent.setHeader('content-length', Buffer.byteLength(text));
  }
  sent.end(text);
  return sent;
}

const reachHint = 'Check the address, and that this machine may reach it; proxies (HTTPS_PROXY) are not used';
const caHint =
  "Name a file with the CA that signed the server's certificate: VAULT_CACERT, or caCert under trust.signer";

/** What a failed connection means (nodejs.org/api/errors.html; OpenSSL's names of verification results). */
function explain(error: NodeJS.ErrnoException, options: VaultHttpOptions): MeshError {
  const say = (why: string, ...hints: readonly string[]): MeshError => unavailable(options, why, hints, error);
  if (error instanceof ResponseTooLargeError)
    return unavailable(options, `an answer of more than ${formatSize(maxBytes)}`, []);
  const code = error.code ?? '';
  switch (code) {
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return say('its certificate is signed by a CA that is not known here', caHint);
    case 'CERT_HAS_EXPIRED':
      return say('its certificate, or its CA, has expired', "Renew the server's certificate");
    case 'CERT_NOT_YET_VALID':
      return say('its certificate is not valid yet', "Compare this machine's clock with the server's");
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return say(
        `its certificate is for another name: ${printableLine(error.message)}`,
        'Use the name that the certificate has, or give it with VAULT_TLS_SERVER_NAME',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return say(`the name ${options.address.hostname} is not known`, reachHint);
    case 'ECONNREFUSED':
      return say('the connection is refused', reachHint);
  }
  // OpenSSL's reasons: in the code since Node 22, in the text before.
  const reason = `${code} ${error.message}`.toLowerCase().replaceAll('_', ' ');
  if (/wrong version number|packet length too long/.test(reason)) {
    return say('it does not speak TLS', 'http:// is for a server on this machine only');
  }
  if (/alert|handshake failure/.test(reason)) {
    return say(
      'it refuses the TLS handshake',
      'A server that asks for a certificate gets the one of VAULT_CLIENT_CERT and VAULT_CLIENT_KEY',
    );
  }
  if (code.startsWith('HPE_')) return say('what answers does not speak HTTP', 'Check the address');
  return say(printableLine(error.message), reachHint);
}

function unavailable({address}: VaultHttpOptions, why: string, hints: readonly string[], cause?: unknown): MeshError {
  return new MeshError('SIGNER_UNAVAILABLE', `${address.origin}: ${why}`, defined({hints, cause}));
}

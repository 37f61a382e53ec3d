/**
 * An HTTP client for the JSON API of Vault and OpenBao. TLS is always verified, no redirect is followed, no proxy of
 * the environment is used, no connection outlives its response, and the size of responses is limited. The caller must
 * refuse plain HTTP.
 */
import {formatSize} from '../domain/format.js';
import {defined} from '../domain/defined.js';
import {request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import type {SecureContext} from 'node:tls';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {sendRequest, ResponseTooLargeError} from './http.js';

/** Far more than a certificate chain needs. Bytes. */
const maxBytes = 4 * 1024 * 1024;

/** The server's address, and how it is authenticated. */
export interface VaultHttpOptions {
  /** Its path is prepended to that of every request. */
  readonly address: URL;
  /** The trusted CAs, and the client certificate. */
  readonly tls: SecureContext;
  /** The name that the server's certificate must have (default: that of the address). */
  readonly serverName?: string | undefined;
}

/** A request. */
export interface VaultHttpRequest {
  readonly method: 'GET' | 'POST';
  /** With a leading slash, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object | undefined;
  /** For the connection and the whole response. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A response with any status. */
export interface VaultHttpResponse {
  readonly status: number;
  readonly contentType: string;
  /** The body as UTF-8. */
  readonly text: string;
  readonly location: string | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

/** Sends requests to one server. */
export interface VaultHttp {
  /**
   * Sends a request. Throws `SIGNER_UNAVAILABLE` with the reason if there is no response, TLS verification fails or the
   * response is too large, and the signal's abort reason (`INTERRUPTED`).
   */
  send(request: VaultHttpRequest): Promise<VaultHttpResponse>;
}

/** Creates the client. */
export function createVaultHttp(options: VaultHttpOptions): VaultHttp {
  return {
    async send(request) {
      const {signal, timeoutMs} = request;
      const {status, headers, text} = await sendRequest(() => send(request, options), {
        timeoutMs,
        maxBytes,
        signal,
        timeoutError: () => unavailable(options, `no response within ${String(timeoutMs / 1000)} s`, [reachHint]),
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
    // A URL contains brackets around an IPv6 address, which a socket does not accept.
    host: address.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(address.port !== '' && {port: Number(address.port)}),
    path: address.pathname.replace(/\/+$/, '') + path,
    agent: false as const,
  };
  const verified = {
    // Explicit, to override NODE_TLS_REJECT_UNAUTHORIZED=0.
    rejectUnauthorized: true,
    secureContext: tls,
    ...(serverName !== undefined && {servername: serverName}),
  };
  const sent = address.protocol === 'http:' ? requestHttp(common) : requestHttps({...common, ...verified});
  // Not in the options, which NODE_DEBUG=http prints.
  const all = {...headers, accept: 'application/json', connection: 'close'};
  for (const [name, value] of Object.entries(all)) sent.setHeader(name, value);
  if (text !== undefined) {
    sent.setHeader('content-type', 'application/json');
    sent.setHeader('content-length', Buffer.byteLength(text));
  }
  sent.end(text);
  return sent;
}

const reachHint = 'check the address and the network; proxies (HTTPS_PROXY) are not used';
const caHint =
  "set VAULT_CACERT, or caCert under trust.signer, to a file with the CA that signed the server's certificate";

/** Translates a failed connection (nodejs.org/api/errors.html; OpenSSL's names of verification results). */
function explain(error: NodeJS.ErrnoException, options: VaultHttpOptions): MeshError {
  const failed = (why: string, ...hints: readonly string[]): MeshError => unavailable(options, why, hints, error);
  if (error instanceof ResponseTooLargeError)
    return unavailable(options, `the response is larger than ${formatSize(maxBytes)}`, []);
  const code = error.code ?? '';
  switch (code) {
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return failed('its certificate is signed by an unknown CA', caHint);
    case 'CERT_HAS_EXPIRED':
      return failed('its certificate, or its CA, has expired', "renew the server's certificate");
    case 'CERT_NOT_YET_VALID':
      return failed('its certificate is not valid yet', "compare this machine's clock with the server's");
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed(
        `its certificate is for another name: ${printableLine(error.message)}`,
        "use the certificate's name in the address, or set VAULT_TLS_SERVER_NAME to it",
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failed(`host ${options.address.hostname} not found`, reachHint);
    case 'ECONNREFUSED':
      return failed('connection refused', reachHint);
  }
  // OpenSSL's reasons: in the code since Node 22, in the text before.
  const reason = `${code} ${error.message}`.toLowerCase().replaceAll('_', ' ');
  if (/wrong version number|packet length too long/.test(reason)) {
    return failed('the server does not use TLS', 'enable TLS: http:// is allowed only for a server on this machine');
  }
  if (/alert|handshake failure/.test(reason)) {
    return failed(
      'the server refused the TLS handshake',
      'if it requires a client certificate, set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY',
    );
  }
  if (code.startsWith('HPE_')) return failed('the response is not HTTP', 'check the address');
  return failed(printableLine(error.message), reachHint);
}

function unavailable({address}: VaultHttpOptions, why: string, hints: readonly string[], cause?: unknown): MeshError {
  return new MeshError('SIGNER_UNAVAILABLE', `${address.origin}: ${why}`, defined({hints, cause}));
}

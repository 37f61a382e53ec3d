/**
 * A client of Vault's HTTP API (developer.hashicorp.com/vault/api-docs; OpenBao's is the same). It handles the errors
 * that do not depend on the request: a server that is sealed, a standby, or not Vault at all.
 */
import {defined} from '../../domain/defined.js';
import {setTimeout as wait} from 'node:timers/promises';
import * as z from 'zod';
import {MeshError} from '../../domain/errors.js';
import {printableLine} from '../../domain/printable.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice, fixWith, type Hint, type Suggestion} from '../../domain/suggest/suggestion.js';
import {createVaultHttp, type VaultHttp, type VaultHttpResponse} from '../../tools/vault-http.js';
import type {VaultSettings} from './settings.js';

/** An issuer with a large RSA key in an HSM takes seconds. Milliseconds. */
const timeoutMs = 30_000;
/** The upper limit for a server's Retry-After. Seconds. */
const maxWait = 5;

/** A request. Paths are below /v1/. */
export interface VaultApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: string;
  readonly body?: object;
  /** Values of the body to redact if the server repeats them. */
  readonly secrets?: readonly Sensitive<string>[];
  readonly token?: Sensitive<string> | undefined;
  /** Sent without a namespace, to the server itself. */
  readonly outsideNamespace?: boolean;
  /** Replaces the run's signal, for requests after it was aborted. */
  readonly signal?: AbortSignal;
}

const replySchema = z.looseObject({
  data: z.looseObject({}).nullish(),
  auth: z.looseObject({}).nullish(),
  errors: z.array(z.string()).nullish(),
  warnings: z.array(z.string()).nullish(),
});

/** A response. */
export interface VaultResponse<Data = unknown> {
  readonly status: number;
  readonly ok: boolean;
  /** Undefined if it does not match the requested schema. */
  readonly data: Data | undefined;
  readonly auth: unknown;
  /** The server's error messages on one printable line. */
  readonly error: string;
  readonly warnings: readonly string[];
}

/** Sends requests to the configured server. */
export class VaultClient {
  readonly #http: VaultHttp;

  constructor(
    readonly settings: VaultSettings,
    private readonly signal: AbortSignal,
  ) {
    this.#http = createVaultHttp(settings.http);
  }

  /**
   * Returns any response of a working server, including refusals, with data that matches `schema`. Throws
   * `SIGNER_UNAVAILABLE` if the server does not work (sealed, standby, not initialized, unreachable, TLS, not Vault at
   * all), and `INTERRUPTED`.
   */
  async send<Data>(request: VaultApiRequest, schema?: z.ZodType<Data>): Promise<VaultResponse<Data>> {
    const response = await this.#sendWithRetry(request);
    const {status} = response;
    const reply = readReply(response, request);
    if (reply?.ok) return {...reply, data: schema?.safeParse(reply.data).data};
    const {origin} = this.settings.http.address;
    if (!reply || status === 429 || status >= 470 || /sealed|not initialized|standby|not active/i.test(reply.error)) {
      await this.#requireActive(request.signal);
    }
    if (!reply) throw notVault(response, origin);
    if (status === 429) {
      const hint = 'try again later: a rate limit quota of the server is exceeded';
      throw unavailable(`${origin}: too many requests: ${reply.error}`, hint);
    }
    if ([502, 503, 504].includes(status)) throw unavailable(`${origin} returned ${String(status)}: ${reply.error}`);
    return {...reply, data: undefined};
  }

  /** Retries once if the server did not process the request, or if the request changes nothing. */
  async #sendWithRetry(request: VaultApiRequest): Promise<VaultHttpResponse> {
    const response = await this.#send(request);
    const retry = response.status === 429 || (request.method === 'GET' && [502, 503, 504].includes(response.status));
    if (!retry || /sealed/i.test(response.text)) return response;
    const seconds = Math.min(response.retryAfter ?? 1, maxWait);
    // If the wait is aborted, the next call throws the reason.
    await wait(seconds * 1000, undefined, {signal: request.signal ?? this.signal}).catch(() => undefined);
    return this.#send(request);
  }

  async #send(apiRequest: VaultApiRequest): Promise<VaultHttpResponse> {
    const {method, body, token, query, outsideNamespace = false} = apiRequest;
    const {namespace} = this.settings;
    const request = {
      method,
      body,
      headers: {
        // Vault's agent may require it (require_request_header), as protection against request forgery.
        'X-Vault-Request': 'true',
        ...(token && {'X-Vault-Token': token.reveal()}),
        ...(namespace !== undefined && !outsideNamespace && {'X-Vault-Namespace': namespace}),
      },
      timeoutMs,
      signal: apiRequest.signal ?? this.signal,
    } as const;
    const path = `/v1/${apiRequest.path.split('/').map(encodeURIComponent).join('/')}`;
    const response = await this.#http.send({...request, path: query === undefined ? path : `${path}?${query}`});
    if (![301, 302, 307, 308].includes(response.status)) return response;
    return this.#http.send({...request, path: redirectTarget(response, this.settings)});
  }

  /** Throws if the server's health endpoint reports that it does not serve requests (api-docs/system/health). */
  async #requireActive(signal: AbortSignal | undefined): Promise<void> {
    const health = await this.#send(defined({method: 'GET', path: 'sys/health', outsideNamespace: true, signal}));
    const parsed = healthSchema.safeParse(parseJson(health.text));
    if (!parsed.success) return;
    const {initialized, sealed, standby, replication_dr_mode: recovery} = parsed.data;
    const inactive = (why: string, hint: Hint): MeshError =>
      unavailable(`${this.settings.http.address.origin} ${why}`, hint);
    const operator = (verb: string): Suggestion => fixWith.run('vault', ['operator', verb]);
    if (!initialized) throw inactive('is not initialized and has no keys', advice`initialize it: ${operator('init')}`);
    if (sealed) {
      throw inactive(
        'is sealed, so its keys cannot be used',
        advice`unseal it with its unseal keys: ${operator('unseal')}`,
      );
    }
    if (recovery === 'secondary') {
      throw inactive('is a disaster recovery secondary and serves no requests', "use the primary's address");
    }
    // A working standby forwards requests; this one did not.
    if (standby) {
      throw inactive('is a standby, and no active server handles its requests', "use the active server's address");
    }
  }
}

function unavailable(message: string, ...hints: readonly Hint[]): MeshError {
  return new MeshError('SIGNER_UNAVAILABLE', message, {hints});
}

/** A standby redirects requests to the active server; the token is only sent to the configured server. */
function redirectTarget({location = ''}: VaultHttpResponse, {http: {address}}: VaultSettings): string {
  const target = URL.canParse(location, address.href) ? new URL(location, address) : undefined;
  const prefix = address.pathname.replace(/\/+$/, '');
  if (target?.origin === address.origin && target.pathname.startsWith(`${prefix}/v1/`)) {
    return target.pathname.slice(prefix.length) + target.search;
  }
  const other = target === undefined ? 'another server' : printableLine(target.origin);
  throw unavailable(
    `${address.origin} is a standby or a proxy: it redirects to ${other}, and redirects are not followed`,
    `if ${other} is the active server, use its address`,
  );
}

/** Parses a response; undefined if it is not one of Vault's. */
function readReply(response: VaultHttpResponse, request: VaultApiRequest): VaultResponse | undefined {
  const {path, token, secrets = []} = request;
  const {status, text: body} = response;
  const ok = status >= 200 && status < 300;
  const empty = {status, ok, data: undefined, auth: undefined, error: '', warnings: []};
  if (status === 204) return empty;
  const parsed = replySchema.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const {data, auth, errors, warnings} = parsed.data;
  // sys/health responds without the envelope; any other JSON without it is not from Vault.
  const known = ['data', 'auth', 'errors'].some((key) => key in parsed.data);
  if (!known && path !== 'sys/health') return undefined;
  const redact = (text: string): string =>
    [...secrets, ...(token ? [token] : [])].reduce(
      (redacted, secret) => redacted.replaceAll(secret.reveal(), '[redacted]'),
      text,
    );
  return {
    ...empty,
    data: path === 'sys/health' ? parsed.data : data,
    auth,
    error: joinErrors([...(errors ?? []), ...(ok ? [] : (warnings ?? []))].map(redact)),
    warnings: (warnings ?? []).map((warning) => printableLine(redact(warning))),
  };
}

/** Joins errors in one line, without the count line that hashicorp/go-multierror puts first. */
function joinErrors(errors: readonly string[]): string {
  const text = errors.map((error) => error.replace(/\d+ errors? occurred:/g, '').replace(/^\s*\*/gm, ' ')).join('; ');
  return printableLine(text).slice(0, 500);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const healthSchema = z.looseObject({
  initialized: z.boolean(),
  sealed: z.boolean(),
  standby: z.boolean(),
  replication_dr_mode: z.string().nullish(),
});

function notVault({status, contentType, text}: VaultHttpResponse, origin: string): MeshError {
  if (text.includes('HTTP request to an HTTPS server')) {
    return unavailable(`${origin} requires TLS, but the address uses http`, 'use https in the address');
  }
  const kind = printableLine(contentType.split(';')[0] ?? '');
  const returned = `returned ${String(status)}${kind === '' ? '' : ` with ${kind}`}`;
  return unavailable(
    `${origin} ${returned}: this is not the API of Vault or OpenBao`,
    'check the address: it must be the server itself, not its web UI or a proxy in front of it',
  );
}

/**
 * Vault's HTTP API (developer.hashicorp.com/vault/api-docs; OpenBao's is the same): one question, one reply. What has
 * nothing to do with the question is told here: a server that is sealed, stands by, or is none.
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

/** An issuer with a big RSA key in an HSM takes seconds. Milliseconds. */
const timeoutMs = 30_000;
/** The longest wait that a server's Retry-After gets. Seconds. */
const longestWait = 5;

/** A question. Paths are below /v1/. */
export interface VaultApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: string;
  readonly body?: object;
  /** What of the body nobody may see, should the server repeat it. */
  readonly secrets?: readonly Sensitive<string>[];
  readonly token?: Sensitive<string> | undefined;
  /** Asked of the server itself, which belongs to no namespace. */
  readonly outsideNamespace?: boolean;
  /** Instead of the run's own: what is done after it was aborted. */
  readonly signal?: AbortSignal;
}

const replySchema = z.looseObject({
  data: z.looseObject({}).nullish(),
  auth: z.looseObject({}).nullish(),
  errors: z.array(z.string()).nullish(),
  warnings: z.array(z.string()).nullish(),
});

/** What it answered. */
export interface VaultResponse<Data = unknown> {
  readonly status: number;
  readonly ok: boolean;
  /** Undefined where it is not of the form that was asked for. */
  readonly data: Data | undefined;
  readonly auth: unknown;
  /** What it says went wrong, on one line, fit for a terminal. */
  readonly error: string;
  readonly warnings: readonly string[];
}

/** Asks the server that is meant. */
export class VaultClient {
  readonly #http: VaultHttp;

  constructor(
    readonly settings: VaultSettings,
    private readonly signal: AbortSignal,
  ) {
    this.#http = createVaultHttp(settings.http);
  }

  /**
   * Any reply of a server that works, also a refusal, with data of the form of `schema`. Throws `SIGNER_UNAVAILABLE` for
   * one that does not (sealed, standby, not initialised, unreachable, TLS, not Vault at all), `INTERRUPTED`.
   */
  async send<Data>(question: VaultApiRequest, schema?: z.ZodType<Data>): Promise<VaultResponse<Data>> {
    const answer = await this.#sendTwice(question);
    const {status} = answer;
    const reply = readReply(answer, question);
    if (reply?.ok) return {...reply, data: schema?.safeParse(reply.data).data};
    const {origin} = this.settings.http.address;
    if (!reply || status === 429 || status >= 470 || /sealed|not initialized|standby|not active/i.test(reply.error)) {
      await this.#requireActive(question.signal);
    }
    if (!reply) throw notVault(answer, origin);
    if (status === 429) {
      const hint = 'Try again later; a rate limit quota of the server is used up';
      throw unavailable(`${origin}: too many requests: ${reply.error}`, hint);
    }
    if ([502, 503, 504].includes(status)) throw unavailable(`${origin} answers ${String(status)}: ${reply.error}`);
    return {...reply, data: undefined};
  }

  /** Once more for what the server did not take up, and for questions that change nothing. */
  async #sendTwice(question: VaultApiRequest): Promise<VaultHttpResponse> {
    const answer = await this.#send(question);
    const again = answer.status === 429 || (question.method === 'GET' && [502, 503, 504].includes(answer.status));
    if (!again || /sealed/i.test(answer.text)) return answer;
    const seconds = Math.min(answer.retryAfter ?? 1, longestWait);
    // An aborted wait: the next call throws the reason.
    await wait(seconds * 1000, undefined, {signal: question.signal ?? this.signal}).catch(() => undefined);
    return this.#send(question);
  }

  async #send(question: VaultApiRequest): Promise<VaultHttpResponse> {
    const {method, body, token, query, outsideNamespace = false} = question;
    const {namespace} = this.settings;
    const request = {
      method,
      body,
      headers: {
        // Vault's agent wants it of every request (require_request_header), as a guard against forgery.
        'X-Vault-Request': 'true',
        ...(token && {'X-Vault-Token': token.reveal()}),
        ...(namespace !== undefined && !outsideNamespace && {'X-Vault-Namespace': namespace}),
      },
      timeoutMs,
      signal: question.signal ?? this.signal,
    } as const;
    const path = `/v1/${question.path.split('/').map(encodeURIComponent).join('/')}`;
    const answer = await this.#http.send({...request, path: query === undefined ? path : `${path}?${query}`});
    if (![301, 302, 307, 308].includes(answer.status)) return answer;
    return this.#http.send({...request, path: redirectTarget(answer, this.settings)});
  }

  /** Throws why a server takes no requests, where its health endpoint says so (api-docs/system/health). */
  async #requireActive(signal: AbortSignal | undefined): Promise<void> {
    const health = await this.#send(defined({method: 'GET', path: 'sys/health', outsideNamespace: true, signal}));
    const parsed = healthSchema.safeParse(parseJson(health.text));
    if (!parsed.success) return;
    const {initialized, sealed, standby, replication_dr_mode: recovery} = parsed.data;
    const idle = (why: string, hint: Hint): MeshError =>
      unavailable(`${this.settings.http.address.origin} ${why}`, hint);
    const operator = (verb: string): Suggestion => fixWith.run('vault', ['operator', verb]);
    if (!initialized) throw idle('is not initialised: it holds no keys yet', advice`See ${operator('init')}`);
    if (sealed) {
      throw idle('is sealed: nobody can use its keys', advice`Whoever holds its unseal keys: ${operator('unseal')}`);
    }
    if (recovery === 'secondary') {
      throw idle('is a disaster recovery secondary: it takes no requests', 'Set the address to that of the primary');
    }
    // A standby that works forwards requests; this one did not.
    if (standby) {
      throw idle(
        'is a standby, and no active server takes its requests',
        'Set the address to that of the active server',
      );
    }
  }
}

function unavailable(message: string, ...hints: readonly Hint[]): MeshError {
  return new MeshError('SIGNER_UNAVAILABLE', message, {hints});
}

/** A standby sends requests to the active server; the token goes to no other server than the one that was named. */
function redirectTarget({location = ''}: VaultHttpResponse, {http: {address}}: VaultSettings): string {
  const target = URL.canParse(location, address.href) ? new URL(location, address) : undefined;
  const prefix = address.pathname.replace(/\/+$/, '');
  if (target?.origin === address.origin && target.pathname.startsWith(`${prefix}/v1/`)) {
    return target.pathname.slice(prefix.length) + target.search;
  }
  const other = target === undefined ? 'somewhere else' : printableLine(target.origin);
  throw unavailable(
    `${address.origin} is a standby, or not the server itself: it sends requests to ${other}, which is not followed`,
    `Set the address to that of the active server (${other}), if that is it`,
  );
}

/** Undefined: nothing that Vault says. */
function readReply(answer: VaultHttpResponse, {path, token, secrets = []}: VaultApiRequest): VaultResponse | undefined {
  const ok = answer.status >= 200 && answer.status < 300;
  const empty = {status: answer.status, ok, data: undefined, auth: undefined, error: '', warnings: []};
  if (answer.status === 204) return empty;
  const parsed = replySchema.safeParse(parseJson(answer.text));
  if (!parsed.success) return undefined;
  const {data, auth, errors, warnings} = parsed.data;
  // sys/health answers without the envelope; other JSON without it is another program's.
  const known = ['data', 'auth', 'errors'].some((key) => key in parsed.data);
  if (!known && path !== 'sys/health') return undefined;
  const hide = (text: string): string =>
    [...secrets, ...(token ? [token] : [])].reduce(
      (hidden, secret) => hidden.replaceAll(secret.reveal(), '[redacted]'),
      text,
    );
  return {
    ...empty,
    data: path === 'sys/health' ? parsed.data : data,
    auth,
    error: joinErrors([...(errors ?? []), ...(ok ? [] : (warnings ?? []))].map(hide)),
    warnings: (warnings ?? []).map((warning) => printableLine(hide(warning))),
  };
}

/** Errors of several lines with a count above them (hashicorp/go-multierror) become one line without it. */
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
    return unavailable(`${origin} speaks TLS, and was asked without`, 'Use https in the address');
  }
  const kind = printableLine(contentType.split(';')[0] ?? '');
  const answered = `answers ${String(status)}${kind === '' ? '' : ` with ${kind}`}`;
  return unavailable(
    `${origin} ${answered}: that is not Vault's or OpenBao's API`,
    'Check the address: the server itself, not its web page or a proxy before it',
  );
}

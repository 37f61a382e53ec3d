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
import {advice, type Hint} from '../../domain/suggest/advice.js';
import {fixWith, words} from '../../domain/suggest/suggestion.js';
import type {VaultHttp, VaultHttpAnswer} from '../../tools/vault-http.js';
import type {VaultSettings} from './settings.js';

/** An issuer with a big RSA key in an HSM takes seconds. Milliseconds. */
const timeoutMs = 30_000;
/** The longest wait that a server's Retry-After gets. Seconds. */
const longestWait = 5;

/** A question. Paths are below /v1/. */
export interface VaultQuestion {
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
export interface VaultReply {
  readonly status: number;
  readonly ok: boolean;
  readonly data: unknown;
  readonly auth: unknown;
  /** What it says went wrong, on one line, fit for a terminal. */
  readonly error: string;
  readonly warnings: readonly string[];
}

/** Asks. */
export interface VaultClient {
  /**
   * Any reply of a server that works, also a refusal. Throws `SIGNER_UNAVAILABLE` for one that does not (sealed, standby,
   * not initialised, unreachable, TLS, not Vault at all), `INTERRUPTED`.
   */
  ask(question: VaultQuestion): Promise<VaultReply>;
}

/** Makes one. */
export function createVaultClient(settings: VaultSettings, http: VaultHttp, signal: AbortSignal): VaultClient {
  return {ask: (question) => ask(question, {settings, http, signal})};
}

interface Surroundings {
  readonly settings: VaultSettings;
  readonly http: VaultHttp;
  readonly signal: AbortSignal;
}

async function ask(question: VaultQuestion, world: Surroundings): Promise<VaultReply> {
  const answer = await sendTwice(question, world);
  const reply = readReply(answer, question);
  if (reply?.ok) return reply;
  const {origin} = world.settings.http.address;
  if (
    !reply ||
    answer.status === 429 ||
    answer.status >= 470 ||
    /sealed|not initialized|standby|not active/i.test(reply.error)
  ) {
    const state = await stateOf(world, question.signal);
    if (state) throw state;
  }
  if (reply && answer.status === 429) {
    throw new MeshError('SIGNER_UNAVAILABLE', `${origin}: too many requests: ${reply.error}`, {
      hints: ['Try again later; a rate limit quota of the server is used up'],
    });
  }
  if (!reply) throw notVault(answer, origin);
  if ([502, 503, 504].includes(answer.status)) {
    throw new MeshError('SIGNER_UNAVAILABLE', `${origin} answers ${String(answer.status)}: ${reply.error}`);
  }
  return reply;
}

/** Once more for what the server did not take up, and for questions that change nothing. */
async function sendTwice(question: VaultQuestion, world: Surroundings): Promise<VaultHttpAnswer> {
  const answer = await send(question, world);
  const again = answer.status === 429 || (question.method === 'GET' && [502, 503, 504].includes(answer.status));
  if (!again || /sealed/i.test(answer.text)) return answer;
  const seconds = Math.min(answer.retryAfter ?? 1, longestWait);
  try {
    await wait(seconds * 1000, undefined, {signal: question.signal ?? world.signal});
  } catch {
    // An aborted wait; the second request says with which reason.
  }
  return send(question, world);
}

async function send(question: VaultQuestion, world: Surroundings): Promise<VaultHttpAnswer> {
  const {settings, http} = world;
  const {method, body, token, outsideNamespace} = question;
  const {namespace} = settings;
  const request = {
    method,
    body,
    headers: {
      // Vault's agent wants it of every request (require_request_header), as a guard against forgery.
      'X-Vault-Request': 'true',
      ...(token && {'X-Vault-Token': token.reveal()}),
      ...(namespace !== undefined && outsideNamespace !== true && {'X-Vault-Namespace': namespace}),
    },
    timeoutMs,
    signal: question.signal ?? world.signal,
  } as const;
  const path = `/v1/${question.path.split('/').map(encodeURIComponent).join('/')}`;
  const answer = await http.ask({...request, path: question.query === undefined ? path : `${path}?${question.query}`});
  if (![301, 302, 307, 308].includes(answer.status)) return answer;
  const target = redirectTarget(answer, settings);
  return http.ask({...request, path: target});
}

/** A standby sends requests to the active server; the token goes to no other server than the one that was named. */
function redirectTarget({location = ''}: VaultHttpAnswer, {http: {address}}: VaultSettings): string {
  const target = URL.canParse(location, address.href) ? new URL(location, address) : undefined;
  const prefix = address.pathname.replace(/\/+$/, '');
  if (target?.origin === address.origin && target.pathname.startsWith(`${prefix}/v1/`)) {
    return target.pathname.slice(prefix.length) + target.search;
  }
  const other = target === undefined ? 'somewhere else' : printableLine(target.origin);
  throw new MeshError(
    'SIGNER_UNAVAILABLE',
    `${address.origin} is a standby, or not the server itself: it sends requests to ${other}, which is not followed`,
    {hints: [`Set the address to that of the active server (${other}), if that is it`]},
  );
}

/** Undefined: nothing that Vault says. */
function readReply(answer: VaultHttpAnswer, {path, token, secrets = []}: VaultQuestion): VaultReply | undefined {
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
    error: told([...(errors ?? []), ...(ok ? [] : (warnings ?? []))].map(hide)),
    warnings: (warnings ?? []).map((warning) => printableLine(hide(warning))),
  };
}

/** Errors of several lines with a count above them (hashicorp/go-multierror) become one line without it. */
function told(errors: readonly string[]): string {
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

/** Why a server takes no requests, as its health says (api-docs/system/health); undefined where it should take them. */
async function stateOf(world: Surroundings, signal: AbortSignal | undefined): Promise<MeshError | undefined> {
  const health = await send(defined({method: 'GET', path: 'sys/health', outsideNamespace: true, signal}), world);
  const parsed = healthSchema.safeParse(parseJson(health.text));
  if (!parsed.success) return undefined;
  const {initialized, sealed, standby, replication_dr_mode: recovery} = parsed.data;
  const say = (why: string, hint: Hint): MeshError =>
    new MeshError('SIGNER_UNAVAILABLE', `${world.settings.http.address.origin} ${why}`, {hints: [hint]});
  if (!initialized)
    return say('is not initialised: it holds no keys yet', advice`See ${fixWith.run('vault', words`operator init`)}`);
  if (sealed)
    return say(
      'is sealed: nobody can use its keys',
      advice`Whoever holds its unseal keys: ${fixWith.run('vault', words`operator unseal`)}`,
    );
  if (recovery === 'secondary') {
    return say('is a disaster recovery secondary: it takes no requests', 'Set the address to that of the primary');
  }
  // A standby that works forwards requests; this one did not.
  if (standby) {
    return say('is a standby, and no active server takes its requests', 'Set the address to that of the active server');
  }
  return undefined;
}

function notVault({status, contentType, text}: VaultHttpAnswer, origin: string): MeshError {
  if (text.includes('HTTP request to an HTTPS server')) {
    return new MeshError('SIGNER_UNAVAILABLE', `${origin} speaks TLS, and was asked without`, {
      hints: ['Use https in the address'],
    });
  }
  const kind = printableLine(contentType.split(';')[0] ?? '');
  const answered = `answers ${String(status)}${kind === '' ? '' : ` with ${kind}`}`;
  return new MeshError('SIGNER_UNAVAILABLE', `${origin} ${answered}: that is not Vault's or OpenBao's API`, {
    hints: ['Check the address: the server itself, not its web page or a proxy before it'],
  });
}

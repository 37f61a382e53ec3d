/**
 * What an answer of an API server means, as one of our errors. Sources: Kubernetes API conventions, "Response Status
 * Kind"; k8s.io/apiserver pkg/endpoints/handlers/responsewriters/errors.go (wording of forbidden answers);
 * k8s.io/apimachinery pkg/util/proxy/upgradeaware.go (text/plain 500 of `kubectl proxy` itself).
 */
import {type ErrorCode, MeshError} from '../errors.js';
import {printableLine} from '../printable.js';
import {advice, inspectWith, type Suggestion, words} from '../suggest/suggestion.js';
import {qualifiedResource} from './kinds.js';

/** The RBAC verb of a request. */
export type Verb = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete';

/** What was asked, for the message. */
export interface ApiRequest {
  readonly verb: Verb;
  /** Plural of the resource, or the path for requests that have none. */
  readonly resource: string;
  readonly group?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly context: string;
}

/** An answer that is not a success. */
export interface FailedResponse {
  /** HTTP status. */
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** What kubectl and its credential plugin said on standard error lately. */
  readonly toolText?: string;
}

/** Turns a failed answer into an error. */
export function answerError(asked: ApiRequest, answer: FailedResponse): MeshError {
  const status = statusBody(answer);
  if (!status) return proxyError(asked, answer);
  const {message, reason} = status;
  const said = printableLine(typeof message === 'string' ? message : `HTTP ${String(answer.status)}`);
  const error = (code: ErrorCode, what: string): MeshError =>
    new MeshError(code, `${what} in context "${asked.context}": ${said}`);
  switch (answer.status) {
    case 401:
      return unauthorized(asked, 'the API server does not accept the credentials', answer.toolText);
    case 403:
      return isRbacDenial(said) ? forbidden(asked, said) : error('REJECTED', `${describeRequest(asked)} was refused`);
    case 404:
      return error('NOT_FOUND', `${describeTarget(asked)} was not found`);
    case 409: {
      const how = reason === 'AlreadyExists' ? 'exists already' : 'was changed by somebody else';
      return error('CONFLICT', `${describeTarget(asked)} ${how}`);
    }
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
      return error('REJECTED', `${describeRequest(asked)} was rejected`);
    default:
      return failedWith('API_ERROR', asked, answer, said);
  }
}

function failedWith(code: ErrorCode, asked: ApiRequest, {status}: FailedResponse, said: string): MeshError {
  const what = `${describeRequest(asked)} failed in context "${asked.context}"`;
  return new MeshError(code, `${what}: HTTP ${String(status)}, ${said}`);
}

/** An `UNREACHABLE` of a request that certainly did not arrive. */
export class NotSentError extends MeshError {}

/** An answer that the API server could not be reached for, in words of the transport. */
export function unreachable(context: string, why: string, sent: 'not-sent' | 'maybe-sent' = 'maybe-sent'): MeshError {
  const UnreachableError = sent === 'not-sent' ? NotSentError : MeshError;
  const message = `the API server of context "${context}" cannot be reached: ${printableLine(why)}`;
  return new UnreachableError('UNREACHABLE', message, {hints: [advice`see that this works: ${getVersion(context)}`]});
}

/** "create secrets in namespace istio-system": verb, resource, name, namespace. */
export function describeRequest(asked: ApiRequest): string {
  return `${asked.verb} ${describeTarget(asked)}`;
}

function describeTarget({name, namespace, ...thing}: ApiRequest): string {
  const kind = qualifiedResource(thing);
  const named = name === undefined ? kind : `${kind} "${name}"`;
  return namespace === undefined ? named : `${named} in namespace "${namespace}"`;
}

/** A right is missing only where the authorizer said so; quota, pod security and webhooks answer 403 too. */
function isRbacDenial(message: string): boolean {
  return / cannot \S+ (?:resource|path) /.test(message);
}

function forbidden(asked: ApiRequest, said: string): MeshError {
  const {verb, name, namespace, context} = asked;
  const target = qualifiedResource(asked);
  const inNamespace = namespace === undefined ? [] : ['-n', namespace];
  // kubectl auth can-i would take what follows the slash of `pods/portforward` for the name of a pod.
  const [type = target, subresource] = target.split('/');
  const resourceWord = name === undefined || verb === 'create' ? type : `${type}/${name}`;
  const ofSubresource = subresource === undefined ? [] : [`--subresource=${subresource}`];
  const canI = words`auth can-i ${verb} ${resourceWord} ${ofSubresource} ${inNamespace} --context ${context}`;
  const message = `not allowed to ${describeRequest(asked)}, in context "${context}": ${said}`;
  return new MeshError('FORBIDDEN', message, {
    hints: [
      `the user of context "${context}" needs the right "${verb}" on "${target}"${namespace === undefined ? '' : ` in namespace "${namespace}"`}`,
      advice`ask the cluster: ${inspectWith.kubectl('any', canI)}`,
    ],
  });
}

/** The request that needs least: every credential may read the version. */
function getVersion(context: string): Suggestion {
  return inspectWith.kubectl({context}, words`get --raw /version`);
}

function unauthorized(asked: ApiRequest, why: string, toolText: string | undefined): MeshError {
  const plugin = pluginText(toolText ?? '');
  const said = plugin === '' ? '' : `; kubectl said: ${plugin}`;
  return new MeshError('UNAUTHORIZED', `no valid credentials for context "${asked.context}": ${why}${said}`, {
    hints: [advice`log in again, then see that this works: ${getVersion(asked.context)}`],
  });
}

/** Answers without a Status body come from proxies in front of the API server. */
const plainCodes: Readonly<Record<number, ErrorCode>> = {401: 'UNAUTHORIZED', 403: 'FORBIDDEN', 404: 'NOT_FOUND'};

/** `kubectl proxy` answers in plain text when it got no answer from the API server, or no credentials to ask with. */
function proxyError(asked: ApiRequest, answer: FailedResponse): MeshError {
  const said = printableLine(answer.body).slice(0, 500);
  if (/getting credentials|exec plugin|oidc|unable to (?:get|refresh).*token|\binvalid_grant\b/i.test(said)) {
    return unauthorized(asked, said, answer.toolText);
  }
  if ([500, 502, 503, 504].includes(answer.status)) {
    // Go's net package says "dial" when no connection came to be (pkg.go.dev/net, OpError.Op).
    const sent = /(?:^|: )dial \w+/.test(said) ? 'not-sent' : 'maybe-sent';
    return unreachable(asked.context, said === '' ? `HTTP ${String(answer.status)}` : said, sent);
  }
  return failedWith(plainCodes[answer.status] ?? 'API_ERROR', asked, answer, said);
}

function statusBody({contentType, body}: FailedResponse): Partial<Record<'message' | 'reason', unknown>> | undefined {
  if (!contentType.includes('json')) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** What a credential plugin said: standard error without kubectl's own log lines (`E1122 16:01:12 …`). */
export function pluginText(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^[EWIF]\d{4} /.test(line));
  return printableLine([...new Set(lines)].slice(-5).join(' '));
}

/**
 * Converts failed responses of an API server to errors. Sources: Kubernetes API conventions, "Response Status Kind";
 * k8s.io/apiserver pkg/endpoints/handlers/responsewriters/errors.go (wording of forbidden responses);
 * k8s.io/apimachinery pkg/util/proxy/upgradeaware.go (text/plain 500 from `kubectl proxy` itself).
 */
import {type ErrorCode, MeshError} from '../errors.js';
import {printableLine} from '../printable.js';
import {advice, inspectWith, type Suggestion, words} from '../suggest/suggestion.js';
import {qualifiedResource} from './kinds.js';

/** The RBAC verb of a request. */
export type Verb = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete';

/** A request, as messages describe it. */
export interface ApiRequest {
  readonly verb: Verb;
  /** The resource's plural name, or the path of a request without a resource. */
  readonly resource: string;
  readonly group?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly context: string;
}

/** A response that is not a success. */
export interface FailedResponse {
  /** HTTP status. */
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Recent standard error output of kubectl and its credential plugin. */
  readonly toolText?: string;
}

/** Converts a failed response to an error. */
export function responseError(request: ApiRequest, response: FailedResponse): MeshError {
  const status = statusBody(response);
  if (!status) return proxyError(request, response);
  const {message, reason} = status;
  const reply = typeof message === 'string' ? shortened(message) : `HTTP ${String(response.status)}`;
  const error = (code: ErrorCode, what: string): MeshError =>
    new MeshError(code, `${what} in context "${request.context}": ${reply}`);
  switch (response.status) {
    case 401:
      return unauthorized(request, 'the API server rejected the credentials', response.toolText);
    case 403:
      if (isRbacDenial(reply)) return forbidden(request, reply);
      return error(isRead(request) ? 'FORBIDDEN' : 'REJECTED', `cannot ${describeRequest(request)}`);
    case 404:
      // A proxy that does not find the API server responds with 404, too: only this reason means that the object is absent.
      if (reason === 'NotFound') return error('NOT_FOUND', `${describeTarget(request)} not found`);
      break;
    case 409: {
      if (isRead(request)) break;
      const how = reason === 'AlreadyExists' ? 'already exists' : 'was changed by another client';
      return error('CONFLICT', `${describeTarget(request)} ${how}`);
    }
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
      if (isRead(request)) break;
      return error('REJECTED', `cannot ${describeRequest(request)}`);
  }
  return statusError('API_ERROR', request, response, reply);
}

/** Nothing was attempted if a read is rejected: the state of the cluster is unknown. */
function isRead({verb}: ApiRequest): boolean {
  return verb === 'get' || verb === 'list';
}

/** Longer than any message of the API server and of admission webhooks that people read. Characters. */
const maxReplyLength = 4096;

/** Makes a server's text printable, on one line of limited length. */
export function shortened(text: string): string {
  return printableLine(text.slice(0, maxReplyLength));
}

function statusError(code: ErrorCode, request: ApiRequest, {status}: FailedResponse, reply: string): MeshError {
  const what = `cannot ${describeRequest(request)} in context "${request.context}"`;
  return new MeshError(code, `${what}: HTTP ${String(status)}: ${reply}`);
}

/** An `UNREACHABLE` error for a request that was definitely not sent. */
export class NotSentError extends MeshError {}

/** Creates the error for an API server that cannot be reached. `why` is the transport's error. */
export function unreachable(context: string, why: string, sent: 'not-sent' | 'maybe-sent' = 'maybe-sent'): MeshError {
  const UnreachableError = sent === 'not-sent' ? NotSentError : MeshError;
  const message = `cannot reach the API server of context "${context}": ${printableLine(why)}`;
  return new UnreachableError('UNREACHABLE', message, {
    hints: [advice`check the connection with: ${getVersion(context)}`],
  });
}

/** Describes a request by verb, resource, name and namespace: `create secrets in namespace "istio-system"`. */
export function describeRequest(request: ApiRequest): string {
  return `${request.verb} ${describeTarget(request)}`;
}

function describeTarget({name, namespace, ...thing}: ApiRequest): string {
  const kind = qualifiedResource(thing);
  const named = name === undefined ? kind : `${kind} "${name}"`;
  return namespace === undefined ? named : `${named} in namespace "${namespace}"`;
}

/** Reports whether the authorizer denied a request. Quotas, pod security and webhooks also cause 403 responses. */
function isRbacDenial(message: string): boolean {
  return / cannot \S+ (?:resource|path) /.test(message);
}

function forbidden(request: ApiRequest, reply: string): MeshError {
  const {verb, name, namespace, context} = request;
  const target = qualifiedResource(request);
  const inNamespace = namespace === undefined ? [] : ['-n', namespace];
  // kubectl auth can-i reads the part of `pods/portforward` after the slash as a pod's name.
  const [type = target, subresource] = target.split('/');
  const resourceWord = name === undefined || verb === 'create' ? type : `${type}/${name}`;
  const ofSubresource = subresource === undefined ? [] : [`--subresource=${subresource}`];
  const canI = words`auth can-i ${verb} ${resourceWord} ${ofSubresource} ${inNamespace} --context ${context}`;
  const message = `cannot ${describeRequest(request)} in context "${context}": ${reply}`;
  return new MeshError('FORBIDDEN', message, {
    hints: [
      `grant the user of context "${context}" permission to ${verb} ${target}${namespace === undefined ? '' : ` in namespace "${namespace}"`}`,
      advice`check it with: ${inspectWith.kubectl('any', canI)}`,
    ],
  });
}

/** The request that needs the fewest permissions: every user may read the version. */
function getVersion(context: string): Suggestion {
  return inspectWith.kubectl({context}, words`get --raw /version`);
}

function unauthorized(request: ApiRequest, why: string, toolText: string | undefined): MeshError {
  const plugin = pluginText(toolText ?? '');
  const output = plugin === '' ? '' : `; kubectl output: ${plugin}`;
  return new MeshError('UNAUTHORIZED', `no valid credentials for context "${request.context}": ${why}${output}`, {
    hints: [advice`log in again, then check the connection with: ${getVersion(request.context)}`],
  });
}

/** Responses without a Status body come from proxies in front of the API server. */
const plainCodes: Readonly<Record<number, ErrorCode>> = {401: 'UNAUTHORIZED', 403: 'FORBIDDEN'};

/** The API server's response for a path of an API group that it does not serve (pkg.go.dev/net/http, NotFound). */
const unservedPath = '404 page not found';

/** `kubectl proxy` responds in plain text if it has no response from the API server, or no credentials. */
function proxyError(request: ApiRequest, response: FailedResponse): MeshError {
  const reply = shortened(response.body).slice(0, 500);
  if (/getting credentials|exec plugin|oidc|unable to (?:get|refresh).*token|\binvalid_grant\b/i.test(reply)) {
    return unauthorized(request, reply, response.toolText);
  }
  if ([500, 502, 503, 504].includes(response.status)) {
    // Go's net package reports "dial" if no connection was established (pkg.go.dev/net, OpError.Op).
    const sent = /(?:^|: )dial \w+/.test(reply) ? 'not-sent' : 'maybe-sent';
    return unreachable(request.context, reply === '' ? `HTTP ${String(response.status)}` : reply, sent);
  }
  // Every API server serves the kinds of single objects that are read.
  const isUnserved = response.status === 404 && reply === unservedPath && request.verb !== 'get';
  const code = isUnserved ? 'NOT_FOUND' : (plainCodes[response.status] ?? 'API_ERROR');
  return statusError(code, request, response, reply);
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

/** Returns a credential plugin's output: standard error without kubectl's own log lines (`E1122 16:01:12 …`). */
export function pluginText(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^[EWIF]\d{4} /.test(line));
  return printableLine([...new Set(lines)].slice(-5).join(' '));
}

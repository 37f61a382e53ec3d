/** Requests to the fake API server: how it understands one, and which ones a test selects. */
import type {IncomingMessage} from 'node:http';
import {type FakeObject, pluralOf} from './objects.js';

/** One request as the server understood it. */
export interface FakeRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly verb: string;
  /** Plural. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly dryRun: boolean;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** Selects requests; absent fields match all. */
export interface RequestMatch {
  readonly verb?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Only requests that name no namespace. */
  readonly clusterWide?: true;
}

/** Whether a verb changes something. */
export function isWrite(verb: string): boolean {
  return ['create', 'update', 'patch', 'delete'].includes(verb);
}

/** Whether a list returns an object. */
export function isSelected(object: FakeObject, request: FakeRequest): boolean {
  if (!isOfKind(object, request)) return false;
  if (request.namespace !== undefined && object.metadata.namespace !== request.namespace) return false;
  const labels = request.query.get('labelSelector') ?? '';
  const fields = request.query.get('fieldSelector') ?? '';
  return (
    labels
      .split(',')
      .filter(Boolean)
      .every((term) => matchesLabel(object, term)) &&
    fields
      .split(',')
      .filter(Boolean)
      .every((term) => matchesField(object, term))
  );
}

/** API servers return an object in the version of the path, whatever version it was written in. */
export function inVersionOf({url}: FakeRequest, object: FakeObject): FakeObject {
  const [, apiVersion = object.apiVersion] = /^\/apis\/([^/]+\/[^/]+)\//.exec(url) ?? [];
  return {...object, apiVersion};
}

/** Whether an object is of a request's kind. Kinds of different API groups have equal names: there are two Gateways. */
export function isOfKind({apiVersion, kind}: FakeObject, {resource, url}: FakeRequest): boolean {
  const [, group = ''] = /^\/apis\/([^/]+)\//.exec(url) ?? [];
  const own = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return pluralOf(kind) === resource && own === group;
}

function matchesLabel(object: FakeObject, term: string): boolean {
  const labels = object.metadata.labels ?? {};
  if (term.includes('!=')) {
    const [key = '', value] = term.split('!=');
    return labels[key] !== value;
  }
  const [key = '', value] = term.split(/==?/);
  return value === undefined ? key in labels : labels[key] === value;
}

function matchesField(object: FakeObject, term: string): boolean {
  const [path = '', value] = term.split(/!=|==?/);
  let at: unknown = object;
  for (const key of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[key];
  return (String(at) === value) !== term.includes('!=');
}

/** Whether a test selects a request. */
export function matches(match: RequestMatch, request: FakeRequest): boolean {
  if (match.clusterWide && request.namespace !== undefined) return false;
  return (['verb', 'resource', 'namespace', 'name'] as const).every(
    (field) => match[field] === undefined || match[field] === request[field],
  );
}

/** Reads a request. `text`: its body. */
export function understand(incoming: IncomingMessage, text: string): FakeRequest {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  const method = incoming.method ?? 'GET';
  const match = /^\/(?:api|apis\/[^/]+)\/[^/]+\/(?:namespaces\/([^/]+)\/(?=[^/]))?([^/]+)(?:\/([^/]+))?/.exec(
    url.pathname,
  );
  const [, space, resource = url.pathname, name = (body as Partial<FakeObject> | undefined)?.metadata?.name] =
    match ?? [];
  const dryRun =
    url.searchParams.get('dryRun') === 'All' || (body as {dryRun?: unknown} | undefined)?.dryRun !== undefined;
  const single = match?.[3] !== undefined || !match;
  const verbs: Record<string, string> = {
    GET: single ? 'get' : 'list',
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  return {
    method,
    url: incoming.url ?? '',
    verb: verbs[method] ?? method,
    resource,
    ...(space === undefined ? {} : {namespace: space}),
    ...(name === undefined ? {} : {name}),
    dryRun,
    query: url.searchParams,
    body,
  };
}

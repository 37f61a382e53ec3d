/**
 * A small API server in memory, behind the fake kubectl: objects with resourceVersions and uids, dry run, denials by
 * verb and resource, injected faults, a log of requests. What a test needs to see is a field or a method here.
 */
import {randomUUID} from 'node:crypto';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createTlsServer, type Server as TlsServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {answerDiscovery} from './api-discovery.js';
import {fillTokenSecret, issueToken, reviewToken} from './tokens.js';
import {applyJsonPatch, applyMergePatch, type PatchOperation} from './json-patch.js';

/** Any object. */
export interface FakeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

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

/** `drop` closes the connection without an answer, `hang` never answers, `apply-and-drop` does the work first. */
export type Fault =
  | {readonly status: number; readonly message?: string; readonly reason?: string; readonly text?: string}
  | 'drop'
  | 'hang'
  | 'apply-and-drop';

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
}

/** What is sent instead of an answer. */
export interface AlteredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Only so many bytes are sent, then the connection breaks. */
  readonly cutAfter?: number;
}

/** The CA of every fake API server, as a kubeconfig has it. Nothing verifies it. */
const fakeServerCa = Buffer.from('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n').toString('base64');

/** One fake cluster. */
export class FakeCluster {
  /** Every request, in order. */
  readonly requests: FakeRequest[] = [];
  /** When set, requests without this bearer token are answered with 401. */
  token?: string;
  /** Its entry in the kubeconfig: an address as pods of other clusters reach it. */
  server: Record<string, unknown>;
  /** Whom this API server takes us for. */
  username = 'test';
  /** The longest lifetime of a token that it grants (`--service-account-max-token-expiration`). Seconds. */
  maxTokenSeconds = Infinity;
  /** By how much the clock with which it issues tokens is ahead. */
  clockAheadSeconds = 0;
  /** Added to each answer. Milliseconds. */
  latencyMs = 0;
  /** Replaces answers; undefined: as it is. Set in any run, it sees every answer that is not a fault. */
  alter?: (
    request: FakeRequest,
    answer: {readonly status: number; readonly body: unknown},
  ) => AlteredAnswer | undefined;
  /** For `kubectl port-forward`: local ports by pod and port, or the words with which it fails. */
  readonly forwards: Record<string, Record<string, number> | string> = {};
  readonly #objects = new Map<string, FakeObject>();
  readonly #denied: RequestMatch[] = [];
  readonly #faults: {match: RequestMatch; fault: Fault; times: number}[] = [];
  readonly #hooks: {match: RequestMatch; run: (request: FakeRequest) => void; times: number}[] = [];
  readonly #servers = new Set<Server | TlsServer>();
  #version = 100;

  constructor(readonly context: string) {
    this.server = {server: `https://${context}.example:6443`, 'certificate-authority-data': fakeServerCa};
    for (const name of ['default', 'kube-system', 'kube-public']) this.put(namespace(name));
  }

  /** Answers on a Unix socket until the returned function is called, which breaks its connections. */
  async listen(socket: string): Promise<() => void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    // kubectl proxy never ends an idle connection (k8s.io/kubectl pkg/proxy/proxy_server.go). Otherwise, a request that is sent at that
    // moment would get ECONNRESET where the machine is busy.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    this.#servers.add(server);
    return () => {
      this.#stop(server);
    };
  }

  /** Answers on a loopback port as well, for the real kubectl, which sends credentials over TLS only. Returns the URL. */
  async listenOnPort(tls: {readonly key: string; readonly cert: string}): Promise<string> {
    const server = createTlsServer(tls, (request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.add(server);
    return `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  /** Stops listening everywhere. */
  close(): void {
    for (const server of this.#servers) this.#stop(server);
  }

  #stop(server: Server | TlsServer): void {
    this.#servers.delete(server);
    server.closeAllConnections();
    server.close();
  }

  /** UID of kube-system: who this cluster is. */
  get uid(): string {
    return String(this.get('Namespace', 'kube-system')?.metadata.uid);
  }

  /** Creates or overwrites an object, as another client would. */
  put(object: FakeObject): FakeObject {
    return this.#store(object);
  }

  /** An object by kind; `name` or `namespace/name`. */
  get(kind: string, name: string): FakeObject | undefined {
    const [first = '', second] = name.split('/');
    const key = second === undefined ? `${kind}//${first}` : `${kind}/${first}/${second}`;
    return this.#objects.get(key);
  }

  /** All objects of a kind. */
  all(kind: string): readonly FakeObject[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind);
  }

  /** Removes an object, as another client would. */
  remove(kind: string, name: string): void {
    const object = this.get(kind, name);
    if (object) this.#remove(object);
  }

  /** A Secret's data as text. */
  secretText(name: string): Record<string, string> {
    const data = (this.get('Secret', name)?.data ?? {}) as Record<string, string>;
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  }

  /** The authorizer says no to these requests, until the answer is called. */
  deny(match: RequestMatch): () => void {
    this.#denied.push(match);
    return () => {
      this.#denied.splice(this.#denied.indexOf(match), 1);
    };
  }

  /** The next `times` matching requests fail, until the answer is called. */
  fault(match: RequestMatch, fault: Fault, times = 1): () => void {
    const planned = {match, fault, times};
    this.#faults.push(planned);
    return () => {
      planned.times = 0;
    };
  }

  /** Runs before the next `times` matching requests are handled: what others do between our plan and our write. */
  before(match: RequestMatch, run: (request: FakeRequest) => void, times = 1): void {
    this.#hooks.push({match, run, times});
  }

  /** Requests that would change something, without dry runs. */
  get writes(): readonly FakeRequest[] {
    return this.requests.filter(({verb, dryRun, resource}) => isWrite(verb) && !dryRun && !resource.includes('review'));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request = understand(incoming, Buffer.concat(chunks).toString('utf8'));
    this.requests.push(request);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    for (const hook of this.#hooks) {
      if (hook.times > 0 && matches(hook.match, request)) {
        hook.times -= 1;
        hook.run(request);
      }
    }
    const planned = this.#faults.find((one) => one.times > 0 && matches(one.match, request));
    if (planned) {
      planned.times -= 1;
      const {fault} = planned;
      if (fault === 'apply-and-drop') this.#answer(request);
      if (fault === 'drop' || fault === 'apply-and-drop') incoming.socket.destroy();
      if (typeof fault === 'string') return;
      if (fault.text !== undefined) {
        response.writeHead(fault.status, {'content-type': 'text/plain; charset=utf-8'}).end(fault.text);
        return;
      }
      send(response, failed(fault.status, fault.message ?? 'injected', fault.reason));
      return;
    }
    if (this.token !== undefined && incoming.headers.authorization !== `Bearer ${this.token}`) {
      send(response, failed(401, 'Unauthorized', 'Unauthorized'));
      return;
    }
    if (this.#isDenied(request)) {
      send(response, failed(403, this.#denial(request), 'Forbidden'));
      return;
    }
    const answer = this.#answer(request);
    const altered = this.alter?.(request, answer);
    if (altered) sendAltered(response, altered);
    else send(response, answer);
  }

  #isDenied(request: FakeRequest): boolean {
    return this.#denied.some((match) => matches(match, request));
  }

  #denial({verb, resource, namespace: space, name}: FakeRequest): string {
    const named = name === undefined ? resource : `${resource} "${name}"`;
    const where = space === undefined ? ' at the cluster scope' : ` in the namespace "${space}"`;
    return `${named} is forbidden: User "test" cannot ${verb} resource "${resource}" in API group ""${where}`;
  }

  #answer(request: FakeRequest): Answer {
    const {verb, resource, body} = request;
    if (resource.startsWith('/')) return answerDiscovery(resource);
    if (resource === 'selfsubjectreviews') {
      const {username} = this;
      return {status: 201, body: {...(body as FakeObject), status: {userInfo: {username, groups: []}}}};
    }
    if (resource === 'tokenreviews') return {status: 201, body: reviewToken(this, body as FakeObject)};
    if (request.url.split('?')[0]?.endsWith('/token')) return issueToken(this, request);
    if (resource.endsWith('accessreviews')) return this.#review(body as FakeObject);
    switch (verb) {
      case 'list':
        return this.#list(request);
      case 'create':
        return this.#create(request, structuredClone(body) as FakeObject);
      default:
        return this.#change(request);
    }
  }

  #review(review: FakeObject): Answer {
    const {resourceAttributes = {}} = (review.spec ?? {}) as {resourceAttributes?: Record<string, string>};
    const {verb = '', resource = '', namespace: space, name} = resourceAttributes;
    const request = {verb, resource, ...(space && {namespace: space}), ...(name && {name})} as FakeRequest;
    return {status: 201, body: {...review, status: {allowed: !this.#isDenied(request)}}};
  }

  #list(request: FakeRequest): Answer {
    const all = [...this.#objects.values()].filter((object) => isSelected(object, request));
    const limit = Number(request.query.get('limit') ?? 0) || all.length;
    const from = Number(request.query.get('continue') ?? 0);
    const more = from + limit < all.length ? {continue: String(from + limit)} : {};
    // Items of real lists carry neither apiVersion nor kind.
    const items = all.slice(from, from + limit).map((object) => ({...object, apiVersion: undefined, kind: undefined}));
    // Clients with types of their own recognize the list by the path that they requested.
    const metadata = {resourceVersion: String(this.#version), ...more};
    return {
      status: 200,
      body: {kind: `${all[0]?.kind ?? ''}List`, apiVersion: all[0]?.apiVersion ?? 'v1', items, metadata},
    };
  }

  #create(request: FakeRequest, object: FakeObject): Answer {
    const {namespace: space} = request;
    if (space !== undefined && !this.get('Namespace', space)) {
      return failed(404, `namespaces "${space}" not found`, 'NotFound');
    }
    if (space !== undefined) object.metadata.namespace = space;
    if (this.#objects.has(keyOf(object))) {
      return failed(409, `${request.resource} "${object.metadata.name}" already exists`, 'AlreadyExists');
    }
    if (request.dryRun) return {status: 201, body: {...object, metadata: {...object.metadata, uid: randomUUID()}}};
    const stored = this.#store({...object, metadata: {...object.metadata, ...manager(request)}});
    fillTokenSecret(this, stored);
    return {status: 201, body: stored};
  }

  #change(request: FakeRequest): Answer {
    const {resource, namespace: space, name = '', verb} = request;
    const current = [...this.#objects.values()].find(
      (object) => isOfKind(object, request) && object.metadata.name === name && object.metadata.namespace === space,
    );
    if (!current) return failed(404, `${resource} "${name}" not found`, 'NotFound');
    if (verb === 'get') return {status: 200, body: inVersionOf(request, current)};
    if (verb === 'delete') return this.#delete(request, current);
    const next = verb === 'update' ? (structuredClone(request.body) as FakeObject) : patched(current, request.body);
    if (!next) return failed(422, 'the server rejected our request due to an error in our request', 'Invalid');
    const version = next.metadata.resourceVersion;
    if (version !== undefined && version !== current.metadata.resourceVersion) {
      return failed(
        409,
        `Operation cannot be fulfilled on ${resource} "${name}": the object has been modified`,
        'Conflict',
      );
    }
    if (current.kind === 'Secret') {
      const wrong = secretRule(current, next);
      if (wrong !== undefined) return failed(422, `Secret "${name}" is invalid: ${wrong}`, 'Invalid');
    }
    const kept = {
      uid: current.metadata.uid,
      creationTimestamp: current.metadata.creationTimestamp,
      ...manager(request),
    };
    const result = {...next, metadata: {...next.metadata, ...kept}} as FakeObject;
    if (request.dryRun) return {status: 200, body: result};
    return {status: 200, body: this.#store(result)};
  }

  #delete(request: FakeRequest, current: FakeObject): Answer {
    const {preconditions = {}, dryRun} = (request.body ?? {}) as {
      preconditions?: {uid?: string; resourceVersion?: string};
      dryRun?: string[];
    };
    const {uid, resourceVersion} = preconditions;
    if (uid !== undefined && uid !== current.metadata.uid)
      return failed(409, 'the UID in the precondition differs', 'Conflict');
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
      return failed(409, 'the ResourceVersion in the precondition differs', 'Conflict');
    }
    if (!dryRun) this.#remove(current);
    return {status: 200, body: {kind: 'Status', status: 'Success'}};
  }

  #store(object: FakeObject): FakeObject {
    this.#version += 1;
    const stored: FakeObject = {
      ...structuredClone(object),
      metadata: {
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...structuredClone(object.metadata),
        uid: object.metadata.uid ?? randomUUID(),
        resourceVersion: String(this.#version),
      },
    };
    if (stored.kind === 'Secret') {
      stored.type ??= 'Opaque';
      moveStringData(stored);
    }
    this.#objects.set(keyOf(stored), stored);
    return stored;
  }

  #remove(object: FakeObject): void {
    this.#version += 1;
    this.#objects.delete(keyOf(object));
  }
}

/** A namespace object. */
export function namespace(name: string, labels: Record<string, string> = {}): FakeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {name, labels: {'kubernetes.io/metadata.name': name, ...labels}},
  };
}

/** A Secret object from text. */
export function secret(name: string, data: Record<string, string>, more: Record<string, unknown> = {}): FakeObject {
  const [space = '', own = ''] = name.split('/');
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {name: own, namespace: space},
    data: encoded,
    ...more,
  };
}

/** A ConfigMap object. */
export function configMap(name: string, data: Record<string, string>): FakeObject {
  const [space = '', own = ''] = name.split('/');
  return {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: own, namespace: space}, data};
}

/** A Secret's `stringData` is written only: it is stored in `data`. */
function moveStringData(secret: FakeObject): void {
  if (secret.stringData === undefined) return;
  const texts = Object.entries(secret.stringData as Record<string, string>);
  const encoded = texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  secret.data = {...(secret.data as object | undefined), ...Object.fromEntries(encoded)};
  delete secret.stringData;
}

function keyOf(object: FakeObject): string {
  return `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Plural of a kind: all kinds of this program are regular. */
function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith('s')) return lower === 'endpoints' ? lower : `${lower}es`;
  return lower.endsWith('y') && !lower.endsWith('ay') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

function manager(request: FakeRequest): {managedFields: unknown[]} {
  return {managedFields: [{manager: request.query.get('fieldManager') ?? 'unknown', operation: 'Update'}]};
}

function isWrite(verb: string): boolean {
  return ['create', 'update', 'patch', 'delete'].includes(verb);
}

function patched(current: FakeObject, patch: unknown): FakeObject | undefined {
  const result = Array.isArray(patch)
    ? applyJsonPatch(current, patch as PatchOperation[])
    : applyMergePatch(current, patch);
  return result as FakeObject | undefined;
}

function secretRule(current: FakeObject, next: FakeObject): string | undefined {
  if ((next.type ?? 'Opaque') !== current.type) return 'type: Invalid value: field is immutable';
  if (current.immutable !== true) return undefined;
  if (next.immutable !== true) return 'immutable: Forbidden: field is immutable when `immutable` is set';
  const same = JSON.stringify(next.data) === JSON.stringify(current.data);
  return same ? undefined : 'data: Forbidden: field is immutable when `immutable` is set';
}

/** API servers return an object in the version of the path, whatever version it was written in. */
function inVersionOf({url}: FakeRequest, object: FakeObject): FakeObject {
  const [, apiVersion = object.apiVersion] = /^\/apis\/([^/]+\/[^/]+)\//.exec(url) ?? [];
  return {...object, apiVersion};
}

/** Kinds of different API groups have equal names: there are two Gateways. */
function isOfKind({apiVersion, kind}: FakeObject, {resource, url}: FakeRequest): boolean {
  const [, group = ''] = /^\/apis\/([^/]+)\//.exec(url) ?? [];
  const own = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return pluralOf(kind) === resource && own === group;
}

function isSelected(object: FakeObject, request: FakeRequest): boolean {
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

function matches(match: RequestMatch, request: FakeRequest): boolean {
  if (match.clusterWide && request.namespace !== undefined) return false;
  return (['verb', 'resource', 'namespace', 'name'] as const).every(
    (field) => match[field] === undefined || match[field] === request[field],
  );
}

function understand(incoming: IncomingMessage, text: string): FakeRequest {
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

function failed(status: number, message: string, reason = ''): Answer {
  return {status, body: {kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status}};
}

function send(response: ServerResponse, {status, body, contentType = 'application/json'}: Answer): void {
  response.writeHead(status, {'content-type': contentType}).end(JSON.stringify(body));
}

function sendAltered(response: ServerResponse, {status, headers, body, cutAfter}: AlteredAnswer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {...headers, 'content-length': String(bytes.length)});
  if (cutAfter === undefined) response.end(bytes);
  else response.write(bytes.subarray(0, cutAfter), () => response.destroy());
}

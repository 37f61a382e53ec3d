/**
 * A small API server in memory, behind the fake kubectl: objects with resourceVersions and uids, dry run, denials by
 * verb and resource, injected faults, a log of requests. What a test needs to see is a field or a method here.
 */
import {once} from 'node:events';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createTlsServer, type Server as TlsServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {type AlteredAnswer, type Answer, failed, send, sendAltered} from './answers.js';
import {answerDiscovery} from './api-discovery.js';
import {ObjectStore} from './object-store.js';
import {type FakeObject, namespace} from './objects.js';
import {type FakeRequest, isWrite, matches, type RequestMatch, understand} from './requests.js';
import {fillTokenSecret, issueToken, reviewToken} from './tokens.js';

export type {AlteredAnswer} from './answers.js';
export {configMap, type FakeObject, namespace, secret} from './objects.js';
export type {FakeRequest, RequestMatch} from './requests.js';

/** `drop` closes the connection without an answer, `hang` never answers, `apply-and-drop` does the work first. */
export type Fault =
  | {readonly status: number; readonly message?: string; readonly reason?: string; readonly text?: string}
  | 'drop'
  | 'hang'
  | 'apply-and-drop';

/** The CA of every fake API server, as a kubeconfig has it. Nothing verifies it. */
const fakeServerCa = Buffer.from('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n').toString('base64');

/** One fake cluster. */
export class FakeCluster extends ObjectStore {
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
  readonly #denied: RequestMatch[] = [];
  readonly #faults: {match: RequestMatch; fault: Fault; times: number}[] = [];
  readonly #hooks: {match: RequestMatch; run: (request: FakeRequest) => void; times: number}[] = [];
  readonly #servers = new Set<Server | TlsServer>();

  constructor(readonly context: string) {
    super();
    this.server = {server: `https://${context}.example:6443`, 'certificate-authority-data': fakeServerCa};
    for (const name of ['default', 'kube-system', 'kube-public']) this.put(namespace(name));
  }

  /**
   * Answers on a Unix socket until the returned function is called, which breaks its connections. Rejects if it cannot listen, as
   * in the directory of a run that has ended meanwhile.
   */
  async listen(socket: string): Promise<() => void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    // kubectl proxy never ends an idle connection (k8s.io/kubectl pkg/proxy/proxy_server.go). Otherwise, a request that is sent at that
    // moment would get ECONNRESET where the machine is busy.
    server.keepAliveTimeout = 0;
    server.listen(socket);
    await once(server, 'listening');
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
    const answer = this.answerFor(request);
    if (verb === 'create' && answer.status === 201 && !request.dryRun) fillTokenSecret(this, answer.body as FakeObject);
    return answer;
  }

  #review(review: FakeObject): Answer {
    const {resourceAttributes = {}} = (review.spec ?? {}) as {resourceAttributes?: Record<string, string>};
    const {verb = '', resource = '', namespace: space, name} = resourceAttributes;
    const request = {verb, resource, ...(space && {namespace: space}), ...(name && {name})} as FakeRequest;
    return {status: 201, body: {...review, status: {allowed: !this.#isDenied(request)}}};
  }
}

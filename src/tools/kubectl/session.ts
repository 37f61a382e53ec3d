import {defined} from '../../domain/defined.js';
import {type KindRef, groupOf, resourceOf} from '../../domain/kube/kinds.js';
import type {KubeList, KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {collectionPath, fieldManager, objectPath, refOf, withQuery} from '../../domain/kube/paths.js';
import {responseError, unreachable, type ApiRequest, type Verb} from '../../domain/kube/status.js';
import {MeshError} from '../../domain/errors.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {lastLines} from '../child-output.js';
import {sleep} from '../bounded.js';
import type {HttpResponse} from '../http.js';
import type {RunningTool} from '../programs.js';
import type {KubeApi, ListOptions, WriteDryRun} from './api.js';
import {NoResponseError, type HttpRequest, type Transport} from './transport.js';

/** Items per chunk of a list, as kubectl's own default (`kubectl get --chunk-size`). */
const chunkSize = 500;

/** How often a list is restarted after its continue token expired (410). */
const listRestarts = 3;

/** How often a request is retried that the API server throttled (429), or that was never sent (connection refused). */
const resends = 5;

/** Pause before a retry without Retry-After; doubled each time. Milliseconds. */
const resendPauseMs = 100;

/** The upper limit for a server's Retry-After. Milliseconds. */
const maxPauseMs = 5000;

/** The parts of a session. */
export interface SessionParts {
  readonly context: string;
  /** Its `kubectl proxy`. */
  readonly tool: RunningTool;
  readonly transport: Transport;
  /** For each request; 0: no timeout. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One session; it cannot open a detached one. */
export type KubectlSession = Omit<KubeApi, 'detached'>;

/** The API of one cluster over its proxy's socket. */
export function createSession({context, tool, transport, timeoutMs, signal}: SessionParts): KubectlSession {
  let ended = false;
  void tool.ended.then(() => {
    ended = true;
  });

  const send = async (request: Omit<HttpRequest, 'timeoutMs' | 'signal'>): Promise<HttpResponse> => {
    for (let attempt = 0; ; attempt++) {
      const pauseMs = resendPauseMs * 2 ** attempt;
      try {
        const answer = await transport.send({...request, timeoutMs, signal});
        if (answer.status !== 429 || attempt >= resends) return answer;
        await sleep(Math.min(Number(answer.headers['retry-after'] ?? 0) * 1000 || pauseMs, maxPauseMs), signal);
      } catch (thrown) {
        if (!(thrown instanceof NoResponseError)) throw thrown;
        // A write that may have arrived is never sent twice: the effect reads the object back instead.
        const canRetry = thrown.reason === 'refused' || (thrown.reason === 'broken' && request.method === 'GET');
        if (!canRetry || ended || attempt >= resends) {
          const why = ended ? `kubectl has exited: ${lastLines(tool.stderr())}` : thrown.message;
          throw unreachable(context, why, thrown.reason === 'refused' ? 'not-sent' : 'maybe-sent');
        }
        await sleep(pauseMs, signal);
      }
    }
  };

  /** Returns the content of a response. Throws the error of a failed one. */
  const read = (request: ApiRequest, {status, headers, text}: HttpResponse): unknown => {
    const contentType = headers['content-type'] ?? '';
    if (status < 200 || status > 299) {
      throw responseError(request, {status, contentType, body: text, toolText: tool.stderr()});
    }
    // /healthz, /readyz and /metrics return text.
    if (!contentType.includes('json')) return text;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new MeshError('API_ERROR', `the API server of context "${context}" sent a response that is not JSON`, {
        cause,
      });
    }
  };

  const requestFor = (verb: Verb, ref: KindRef & Partial<Pick<ObjectRef, 'name' | 'namespace'>>): ApiRequest =>
    defined({
      verb,
      resource: resourceOf(ref).plural,
      group: groupOf(ref.apiVersion),
      name: ref.name === '' ? undefined : ref.name,
      namespace: ref.namespace,
      context,
    });

  const write = async (
    verb: Verb,
    ref: ObjectRef,
    [method, path]: readonly [HttpRequest['method'], string],
    content: object,
    type = 'application/json',
  ): Promise<unknown> => {
    const request = {method, path, headers: {'content-type': type}, body: JSON.stringify(content)};
    return read(requestFor(verb, ref), await send(request));
  };

  const api: KubectlSession = {
    context,
    raw: async (path) => read({verb: 'get', resource: path, context}, await send({method: 'GET', path})),
    async get<T extends KubeObject>(ref: ObjectRef): Promise<T> {
      const request = requestFor('get', ref);
      return requireMetadata(request, read(request, await send({method: 'GET', path: objectPath(ref)}))) as T;
    },
    async find<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined> {
      try {
        return await api.get<T>(ref);
      } catch (thrown) {
        if (thrown instanceof MeshError && thrown.code === 'NOT_FOUND') return undefined;
        throw thrown;
      }
    },
    async list<T extends KubeObject>(kind: KindRef, options: ListOptions = {}): Promise<KubeList<T>> {
      const {metadataOnly, ...selectors} = options;
      const {namespace, ...query} = selectors;
      const request = requestFor('list', {...kind, ...selectors});
      const path = collectionPath(kind, namespace);
      const headers = metadataOnly === true ? {accept: metadataOnlyType} : {};
      let items: T[] = [];
      let restarts = 0;
      for (let token: string | undefined; ;) {
        const page = {limit: chunkSize, continue: token, ...query};
        const response = await send({method: 'GET', path: withQuery(path, page), headers});
        if (response.status === 410 && restarts < listRestarts) {
          restarts += 1;
          items = [];
          token = undefined;
          continue;
        }
        // An empty PartialObjectMetadataList has `items: null` (Go's nil slice).
        const list = requireMetadata(request, read(request, response)) as Pick<KubeList, 'metadata'> & {
          items: readonly T[] | null;
        };
        // Items of a list have neither apiVersion nor kind (Kubernetes API conventions, "Lists").
        items.push(...(list.items ?? []).map((item) => ({...item, apiVersion: kind.apiVersion, kind: kind.kind})));
        token = list.metadata.continue;
        if (token === undefined || token === '') return {items, metadata: list.metadata};
      }
    },
    async create<T extends KubeObject>(object: T, dryRun: WriteDryRun): Promise<T> {
      const ref = refOf(object);
      const path = withQuery(collectionPath(ref, ref.namespace), writeQuery(dryRun));
      return (await write('create', ref, ['POST', path], object)) as T;
    },
    async replace<T extends KubeObject>(object: T, dryRun: WriteDryRun): Promise<T> {
      const ref = refOf(object);
      const path = withQuery(objectPath(ref), writeQuery(dryRun));
      return (await write('update', ref, ['PUT', path], object)) as T;
    },
    async patch(ref, patch, dryRun) {
      const path = withQuery(objectPath(ref), writeQuery(dryRun));
      const type = Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json';
      return (await write('patch', ref, ['PATCH', path], patch, type)) as KubeObject;
    },
    async delete(ref, preconditions, dryRun) {
      // If there is a body, the API server reads options only from it, so dryRun is there and not in the query.
      const all = dryRun === 'server' ? {dryRun: ['All']} : {};
      const options = {apiVersion: 'v1', kind: 'DeleteOptions', preconditions, ...all};
      await write('delete', ref, ['DELETE', objectPath(ref)], options);
    },
  };
  return api;
}

/** Requests only metadata (Kubernetes API concepts, "Metadata-only fetches"). */
const metadataOnlyType = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

function writeQuery(dryRun: WriteDryRun): Readonly<Record<string, string | undefined>> {
  return {fieldManager, dryRun: dryRun === 'server' ? 'All' : undefined};
}

/** Every object and every list has metadata (Kubernetes API conventions, "Resources"); a login page has none. */
function requireMetadata({context}: ApiRequest, body: unknown): unknown {
  const metadata = typeof body === 'object' && body !== null && 'metadata' in body ? body.metadata : undefined;
  if (typeof metadata === 'object' && metadata !== null) return body;
  throw new MeshError('API_ERROR', `the server of context "${context}" did not respond like an API server`, {
    hints: [advice`to investigate: ${inspectWith.kubectl('any', words`get --raw / --context ${context}`)}`],
  });
}

import {defined} from '../../domain/defined.js';
import {type KindRef, groupOf, resourceOf} from '../../domain/kube/kinds.js';
import type {KubeList, KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {collectionPath, fieldManager, objectPath, refOf, withQuery} from '../../domain/kube/paths.js';
import {responseError, shortened, unreachable, type ApiRequest, type Verb} from '../../domain/kube/status.js';
import {
  ListReader,
  type ListOptions,
  pageSize,
  parseJson,
  readObject,
  unexpectedResponse,
} from '../../domain/kube/responses.js';
import type {FieldsOf} from '../../domain/kube/shapes.js';
import {MeshError} from '../../domain/errors.js';
import {lastLines} from '../child-output.js';
import {sleep} from '../bounded.js';
import {ResponseTooLargeError, type HttpResponse} from '../http.js';
import type {RunningTool} from '../programs.js';
import type {KubeApi, WriteDryRun} from './api.js';
import {
  issuedToken,
  tokenRequestBody,
  tokenRequestKind,
  tokenReviewBody,
  tokenReviewKind,
  tokenVerdict,
} from './tokens.js';
import {NoResponseError, type HttpRequest, type Transport} from './transport.js';

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

  const send = async (request: ApiRequest, http: Omit<HttpRequest, 'timeoutMs' | 'signal'>): Promise<HttpResponse> => {
    for (let attempt = 0; ; attempt++) {
      const pauseMs = resendPauseMs * 2 ** attempt;
      try {
        const answer = await transport.send({...http, timeoutMs, signal});
        if (answer.status !== 429 || attempt >= resends) return answer;
        await sleep(Math.min(Number(answer.headers['retry-after'] ?? 0) * 1000 || pauseMs, maxPauseMs), signal);
      } catch (thrown) {
        if (thrown instanceof ResponseTooLargeError)
          throw unexpectedResponse(request, `it is ${thrown.message}`, thrown);
        if (!(thrown instanceof NoResponseError)) throw thrown;
        // A write that may have arrived is never sent twice: the effect reads the object back instead.
        const canRetry = thrown.reason === 'refused' || (thrown.reason === 'broken' && http.method === 'GET');
        if (!canRetry || ended || attempt >= resends) {
          const why = ended ? `kubectl has exited: ${lastLines(tool.stderr())}` : thrown.message;
          throw unreachable(context, why, thrown.reason === 'refused' ? 'not-sent' : 'maybe-sent');
        }
        await sleep(pauseMs, signal);
      }
    }
  };

  /** Returns the content of a response. Throws the error of a failed one. */
  const read = (request: ApiRequest, {status, headers, text, isUtf8}: HttpResponse): unknown => {
    const contentType = headers['content-type'] ?? '';
    if (status < 200 || status > 299) {
      throw responseError(request, {status, contentType, body: text, toolText: tool.stderr()});
    }
    if (!contentType.includes('json'))
      throw unexpectedResponse(request, `its content type is "${shortened(contentType)}"`);
    if (!isUtf8) throw unexpectedResponse(request, 'it is not UTF-8');
    return parseJson(request, text);
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
  ): Promise<KubeObject> => {
    const request = requestFor(verb, ref);
    const http = {method, path, headers: {'content-type': type}, body: JSON.stringify(content)};
    return readObject(request, ref, read(request, await send(request, http)));
  };

  const api: KubectlSession = {
    context,
    async raw(path) {
      const request = {verb: 'get', resource: path, context} as const;
      return read(request, await send(request, {method: 'GET', path}));
    },
    async get<T extends KubeObject>(ref: ObjectRef): Promise<T> {
      const request = requestFor('get', ref);
      const response = await send(request, {method: 'GET', path: objectPath(ref)});
      return readObject(request, ref, read(request, response)) as T;
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
      let pages = new ListReader(request, kind, options);
      let restarts = 0;
      for (let token: string | undefined; ;) {
        const page = {limit: pageSize, continue: token, ...query};
        const response = await send(request, {method: 'GET', path: withQuery(path, page), headers});
        if (response.status === 410 && restarts < listRestarts) {
          restarts += 1;
          pages = new ListReader(request, kind, options);
          token = undefined;
          continue;
        }
        const added = pages.add(read(request, response));
        if ('list' in added) return added.list as KubeList<T>;
        token = added.next;
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
      return write('patch', ref, ['PATCH', path], patch, type);
    },
    async delete(ref, preconditions, dryRun) {
      // If there is a body, the API server reads options only from it, so dryRun is there and not in the query.
      const all = dryRun === 'server' ? {dryRun: ['All']} : {};
      const options = {apiVersion: 'v1', kind: 'DeleteOptions', preconditions, ...all};
      const request = requestFor('delete', ref);
      const http = {
        method: 'DELETE',
        path: objectPath(ref),
        headers: jsonContent,
        body: JSON.stringify(options),
      } as const;
      const response = await send(request, http);
      // The response to a delete is a Status or the object; its content is not used.
      if (response.status < 200 || response.status > 299) read(request, response);
    },
    async requestToken({namespace, name}, spec) {
      const ref = {...tokenRequestKind, namespace, name};
      const path = `${objectPath({apiVersion: 'v1', kind: 'ServiceAccount', namespace, name})}/token`;
      return issuedToken((await write('create', ref, ['POST', path], tokenRequestBody(spec))) as IssuedTokenObject);
    },
    async reviewToken(token) {
      // It is not stored, so it has no name.
      const ref = {...tokenReviewKind, name: ''};
      const path = collectionPath(ref);
      return tokenVerdict((await write('create', ref, ['POST', path], tokenReviewBody(token))) as ReviewedTokenObject);
    },
  };
  return api;
}

type IssuedTokenObject = KubeObject & FieldsOf<'authentication.k8s.io/TokenRequest'>;
type ReviewedTokenObject = KubeObject & FieldsOf<'authentication.k8s.io/TokenReview'>;

const jsonContent = {'content-type': 'application/json'};

/** Requests only metadata (Kubernetes API concepts, "Metadata-only fetches"). */
const metadataOnlyType = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

function writeQuery(dryRun: WriteDryRun): Readonly<Record<string, string | undefined>> {
  return {fieldManager, dryRun: dryRun === 'server' ? 'All' : undefined};
}

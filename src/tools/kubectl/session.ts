import {defined} from '../../domain/defined.js';
import {type KindRef, groupOf, resourceOf} from '../../domain/kube/kinds.js';
import type {KubeList, KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {collectionPath, fieldManager, objectPath, refOf, withQuery} from '../../domain/kube/paths.js';
import {answerError, unreachable, type Asked, type Verb} from '../../domain/kube/status.js';
import {MeshError} from '../../domain/errors.js';
import {advice} from '../../domain/suggest/advice.js';
import {lookWith, words} from '../../domain/suggest/suggestion.js';
import {lastLines} from '../runner.js';
import {sleep} from '../abort.js';
import type {KubeApi, ListOptions, WriteDryRun} from './api.js';
import type {KubectlProxy} from './proxy.js';
import {NoAnswer, type HttpAnswer, type HttpRequest, type Transport} from './transport.js';

/** Items per chunk of a list, as kubectl's own default (`kubectl get --chunk-size`). */
const chunkSize = 500;

/** How often a list whose continue token went stale (410) is begun again. */
const listRestarts = 3;

/** How often a request is sent again that the API server told to come back later (429), or that never left (refused). */
const resends = 5;

/** Pause before a resend where the server named none; doubled each time. Milliseconds. */
const resendPauseMs = 100;

/** The longest pause a server's Retry-After gets. Milliseconds. */
const longestPauseMs = 5000;

/** What a session is made of. */
export interface SessionParts {
  readonly context: string;
  readonly proxy: KubectlProxy;
  readonly transport: Transport;
  readonly signal: AbortSignal;
}

/** One session; a lasting one of the same cluster is not its business. */
export type Session = Omit<KubeApi, 'lasting'>;

/** The API of one cluster over its proxy's socket. */
export function createSession(parts: SessionParts): Session {
  const {context, transport, signal} = parts;

  const toError = (asked: Asked, answer: HttpAnswer): MeshError =>
    answerError(asked, {...answer, toolText: parts.proxy.tool.stderr()});

  let ended = false;
  void parts.proxy.tool.ended.then(() => {
    ended = true;
  });

  const send = async (asked: Asked, request: Omit<HttpRequest, 'signal'>): Promise<HttpAnswer> => {
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await transport.send({...request, signal});
        if (answer.status !== 429 || attempt >= resends) return answer;
        await sleep(
          Math.min(Number(answer.retryAfter ?? 0) * 1000 || resendPauseMs * 2 ** attempt, longestPauseMs),
          signal,
        );
      } catch (thrown) {
        if (!(thrown instanceof NoAnswer)) throw thrown;
        // A write that may have arrived is never sent twice: its effect reads the cluster again instead.
        const harmless = thrown.reason === 'refused' || (thrown.reason === 'broken' && request.method === 'GET');
        if (!harmless || ended || attempt >= resends) throw lost(parts, thrown, ended);
        await sleep(resendPauseMs * 2 ** attempt, signal);
      }
    }
  };

  const ask = async (asked: Asked, request: Omit<HttpRequest, 'signal'>): Promise<unknown> => {
    const answer = await send(asked, request);
    if (answer.status < 200 || answer.status > 299) throw toError(asked, answer);
    return parse(asked, answer);
  };

  const askedFor = (verb: Verb, ref: KindRef & {readonly name?: string; readonly namespace?: string}): Asked => ({
    verb,
    resource: resourceOf(ref).plural,
    group: groupOf(ref.apiVersion),
    ...(ref.name === undefined || ref.name === '' ? {} : {name: ref.name}),
    ...(ref.namespace === undefined ? {} : {namespace: ref.namespace}),
    context,
  });

  /** Like {@link ask}, for requests whose answer is an object of the API: a login page is none, whatever its status. */
  const askObject = async (asked: Asked, request: Omit<HttpRequest, 'signal'>): Promise<unknown> =>
    objectOf(asked, await ask(asked, request));

  const write = async (
    verb: Verb,
    ref: ObjectRef,
    request: Pick<HttpRequest, 'method' | 'path'>,
    content: object,
    contentType = 'application/json',
  ): Promise<unknown> =>
    ask(askedFor(verb, ref), {...request, headers: {'content-type': contentType}, body: JSON.stringify(content)});

  const listPage = async (
    kind: KindRef,
    options: ListOptions,
    continueToken: string | undefined,
  ): Promise<HttpAnswer> =>
    send(
      askedFor('list', {...kind, ...namespaceOf(options)}),
      defined({
        method: 'GET',
        path: withQuery(collectionPath(kind, options.namespace), {
          limit: chunkSize,
          continue: continueToken,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        }),
        headers: options.metadataOnly === true ? {accept: metadataOnly} : undefined,
      }),
    );

  const api: Session = {
    context,
    raw: (path) => ask({verb: 'get', resource: path, context}, {method: 'GET', path}),
    async get<T extends KubeObject>(ref: ObjectRef): Promise<T> {
      return (await askObject(askedFor('get', ref), {method: 'GET', path: objectPath(ref)})) as T;
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
      const asked = askedFor('list', {...kind, ...namespaceOf(options)});
      let items: T[] = [];
      let restarts = 0;
      for (let token: string | undefined; ;) {
        const answer = await listPage(kind, options, token);
        if (answer.status === 410 && restarts < listRestarts) {
          restarts += 1;
          items = [];
          token = undefined;
          continue;
        }
        if (answer.status !== 200) throw toError(asked, answer);
        // An empty PartialObjectMetadataList has `items: null` (Go's nil slice).
        const page = objectOf(asked, parse(asked, answer)) as {
          items: readonly T[] | null;
          metadata: KubeList['metadata'];
        };
        // Items of a list carry neither apiVersion nor kind (Kubernetes API conventions, "Lists").
        items.push(...(page.items ?? []).map((item) => ({...item, apiVersion: kind.apiVersion, kind: kind.kind})));
        token = page.metadata.continue;
        if (token === undefined || token === '') return {items, metadata: page.metadata};
      }
    },
    async create<T extends KubeObject>(object: T, dryRun: WriteDryRun): Promise<T> {
      const ref = refOf(object);
      const path = withQuery(collectionPath(ref, ref.namespace), writeQuery(dryRun));
      return (await write('create', ref, {method: 'POST', path}, object)) as T;
    },
    async replace<T extends KubeObject>(object: T, dryRun: WriteDryRun): Promise<T> {
      const ref = refOf(object);
      const path = withQuery(objectPath(ref), writeQuery(dryRun));
      return (await write('update', ref, {method: 'PUT', path}, object)) as T;
    },
    async patch(ref, patch, dryRun) {
      const path = withQuery(objectPath(ref), writeQuery(dryRun));
      const type = Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json';
      return (await write('patch', ref, {method: 'PATCH', path}, patch, type)) as KubeObject;
    },
    async delete(ref, preconditions, dryRun) {
      // With a body the API server reads options from it alone, so dryRun stands there and not in the query.
      const options = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions,
        ...(dryRun === 'server' ? {dryRun: ['All']} : {}),
      };
      await write('delete', ref, {method: 'DELETE', path: objectPath(ref)}, options);
    },
  };
  return api;
}

/** Asks for metadata alone (Kubernetes API concepts, "Metadata-only fetches"). */
const metadataOnly = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

function namespaceOf(options: ListOptions): {readonly namespace?: string} {
  return options.namespace === undefined ? {} : {namespace: options.namespace};
}

function writeQuery(dryRun: WriteDryRun): Readonly<Record<string, string | undefined>> {
  return {fieldManager, dryRun: dryRun === 'server' ? 'All' : undefined};
}

/** Every object and every list has metadata (Kubernetes API conventions, "Resources"). */
function objectOf(asked: Asked, answer: unknown): unknown {
  const metadata = typeof answer === 'object' && answer !== null && 'metadata' in answer ? answer.metadata : undefined;
  if (typeof metadata === 'object' && metadata !== null) return answer;
  throw new MeshError('API_ERROR', `what context "${asked.context}" leads to did not answer as an API server does`, {
    hints: [advice`look at it: ${lookWith.kubectl('any', words`get --raw / --context ${asked.context}`)}`],
  });
}

function parse(asked: Asked, answer: HttpAnswer): unknown {
  // /healthz, /readyz and /metrics answer in text.
  if (!answer.contentType.includes('json')) return answer.body;
  try {
    return JSON.parse(answer.body);
  } catch (cause) {
    throw new MeshError('API_ERROR', `the API server of context "${asked.context}" sent an answer that is not JSON`, {
      cause,
    });
  }
}

/** No answer came: because kubectl ended, or because nothing came over its connection. */
function lost(parts: SessionParts, failure: NoAnswer, ended: boolean): MeshError {
  return unreachable(
    parts.context,
    ended ? `kubectl has ended: ${lastLines(parts.proxy.tool.stderr())}` : failure.message,
    failure.reason === 'refused' ? 'not-sent' : 'maybe-sent',
  );
}

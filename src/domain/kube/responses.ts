/**
 * Reads the content of successful responses of an API server, which is untrusted input: anyone can operate a server that a
 * kubeconfig names, and proxies answer in its place. What is not the requested object, or does not have its kind's shape,
 * throws `API_ERROR`, which makes the facts of that cluster unknown.
 */
import {MeshError} from '../errors.js';
import {advice, inspectWith, words} from '../suggest/suggestion.js';
import type {KindRef} from './kinds.js';
import type {KubeList, KubeObject, ObjectRef} from './object.js';
import {fitItem, fitObject, fitVersion, type Fitted, type ReportedVersion} from './shapes.js';
import {type ApiRequest, describeRequest, shortened} from './status.js';

/** How deep values can be nested: more than any object of Kubernetes, little enough for functions that call themselves. */
const maxDepth = 256;

/** The API server's own limit for one list is memory; this is more than the largest supported cluster has pods (150,000). */
const maxObjects = 200_000;

/** The items of a full page, as kubectl requests them (`kubectl get --chunk-size`). */
export const pageSize = 500;

/** A server may return shorter pages than requested; ten times as many pages as a list of {@link maxObjects} needs. */
const maxPages = (10 * maxObjects) / pageSize;

/** Selects what a list returns. */
export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Requests only metadata (PartialObjectMetadata), for large collections and for names of Secrets. */
  readonly metadataOnly?: boolean;
}

/** The error for a response that is not what was requested. `what` describes the response, without its content. */
export function unexpectedResponse(request: ApiRequest, what: string, cause?: unknown): MeshError {
  const {context} = request;
  const message = `unexpected response to ${describeRequest(request)} in context "${context}": ${what}`;
  const get = inspectWith.kubectl('any', words`get --raw / --context ${context}`);
  return new MeshError('API_ERROR', message, {
    hints: [advice`to investigate: ${get}`],
    ...(cause !== undefined && {cause}),
  });
}

/** Parses a response's JSON. */
export function parseJson(request: ApiRequest, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unexpectedResponse(request, 'it is not JSON', cause);
  }
  if (isDeeperThan(maxDepth, value))
    throw unexpectedResponse(request, `it is nested more than ${String(maxDepth)} levels deep`);
  if (isStatus(value)) throw unexpectedResponse(request, describeStatus(value));
  return value;
}

function isDeeperThan(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((one) => isDeeperThan(depth - 1, one));
}

function isStatus(value: unknown): value is {readonly kind: 'Status'; readonly message?: unknown} {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

/** A Status with HTTP 200 comes from a proxy, or reports the result of a delete; neither is an object. */
function describeStatus({message}: {readonly message?: unknown}): string {
  return typeof message === 'string' && message !== '' ? `a Status: ${shortened(message)}` : 'a Status';
}

/** Returns an object that a server returned after a get or a write. `ref` without a name: one that is not stored. */
export function readObject(request: ApiRequest, ref: ObjectRef, body: unknown): KubeObject {
  const {kind, apiVersion} = readFields(request, body);
  if (kind !== ref.kind || apiVersion !== ref.apiVersion) {
    throw unexpectedResponse(request, `it is not a ${ref.kind} of ${ref.apiVersion}`);
  }
  const object = requireFit(request, fitObject(ref, body)) as KubeObject;
  const {name, namespace} = object.metadata;
  if (ref.name !== '' && name !== ref.name) throw unexpectedResponse(request, 'metadata.name: it is another object');
  if (namespace !== ref.namespace) throw unexpectedResponse(request, 'metadata.namespace: it is in another namespace');
  return object;
}

/** Returns the version that an API server reported. */
export function readVersion(request: ApiRequest, body: unknown): ReportedVersion {
  return requireFit(request, fitVersion(body));
}

/** Collects the pages of a list. */
export class ListReader {
  readonly #items: KubeObject[] = [];
  readonly #names = new Set<string>();
  readonly #tokens = new Set<string>();
  #pages = 0;

  constructor(
    private readonly request: ApiRequest,
    private readonly kind: KindRef,
    private readonly options: ListOptions,
  ) {}

  /** Adds a page; returns the continue token of the next one, or the list after the last. */
  add(body: unknown): {readonly next: string} | {readonly list: KubeList} {
    const {kind, items, metadata} = readFields(this.request, body);
    if (typeof kind !== 'string' || !kind.endsWith('List')) throw this.#unexpected('it is not a list');
    // An empty PartialObjectMetadataList has `items: null` (Go's nil slice).
    if (items !== null && !Array.isArray(items)) throw this.#unexpected('items: expected array');
    const {resourceVersion, continue: next = ''} = readFields(this.request, metadata, 'metadata');
    if (typeof next !== 'string') throw this.#unexpected('metadata.continue: expected string');
    const all = (items ?? []) as readonly unknown[];
    if (this.#items.length + all.length > maxObjects) throw this.#unexpected(`more than ${String(maxObjects)} objects`);
    for (const [index, item] of all.entries()) this.#addItem(item, `items[${String(index)}]`);
    if (next === '') {
      return {list: {items: this.#items, metadata: typeof resourceVersion === 'string' ? {resourceVersion} : {}}};
    }
    this.#pages += 1;
    if (this.#tokens.has(next)) throw this.#unexpected('metadata.continue: the same token again');
    if (this.#pages === maxPages) throw this.#unexpected(`more than ${String(maxPages)} pages`);
    this.#tokens.add(next);
    return {next};
  }

  #addItem(item: unknown, place: string): void {
    const {apiVersion, kind} = this.kind;
    const {metadataOnly = false, namespace, fieldSelector} = this.options;
    const fitted = requireFit(this.request, fitItem(this.kind, item, metadataOnly), place) as Pick<
      KubeObject,
      'metadata'
    >;
    const {metadata} = fitted;
    if (namespace !== undefined && metadata.namespace !== namespace) {
      throw this.#unexpected(`${place}.metadata.namespace: it is in another namespace`);
    }
    if (fieldSelector?.startsWith(namedField) === true && fieldSelector !== namedField + metadata.name) {
      throw this.#unexpected(`${place}.metadata.name: it is another object`);
    }
    const id = `${metadata.namespace ?? ''}/${metadata.name}`;
    if (this.#names.has(id)) throw this.#unexpected(`${place}.metadata.name: an object of that name precedes it`);
    this.#names.add(id);
    // Items of a list have neither apiVersion nor kind (Kubernetes API conventions, "Lists").
    this.#items.push({...fitted, apiVersion, kind});
  }

  #unexpected(what: string): MeshError {
    return unexpectedResponse(this.request, what);
  }
}

/** The field selector of a list that is read for one object only. */
const namedField = 'metadata.name=';

function requireFit<T>(request: ApiRequest, fitted: Fitted<T>, place = ''): T {
  if ('value' in fitted) return fitted.value;
  const {misfit} = fitted;
  throw unexpectedResponse(request, place === '' ? misfit : `${place}.${misfit}`);
}

function readFields(request: ApiRequest, value: unknown, place = ''): Partial<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw unexpectedResponse(request, place === '' ? 'it is not an object' : `${place}: expected object`);
}

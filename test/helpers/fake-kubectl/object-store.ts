/** The objects in one fake API server, with resourceVersions and uids, and its answers to requests for them. */
import {randomUUID} from 'node:crypto';
import {type Answer, failed} from './answers.js';
import {type FakeObject, keyOf, moveStringData, patched, secretRule} from './objects.js';
import {type FakeRequest, inVersionOf, isOfKind, isSelected} from './requests.js';

/** The objects of one cluster. */
export class ObjectStore {
  readonly #objects = new Map<string, FakeObject>();
  #version = 100;

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

  /** Answers a request for objects. */
  protected answerFor(request: FakeRequest): Answer {
    switch (request.verb) {
      case 'list':
        return this.#list(request);
      case 'create':
        return this.#create(request, structuredClone(request.body) as FakeObject);
      default:
        return this.#change(request);
    }
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
    return {status: 201, body: this.#store({...object, metadata: {...object.metadata, ...manager(request)}})};
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

function manager(request: FakeRequest): {managedFields: unknown[]} {
  return {managedFields: [{manager: request.query.get('fieldManager') ?? 'unknown', operation: 'Update'}]};
}

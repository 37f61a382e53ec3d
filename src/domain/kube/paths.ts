import {defined} from '../defined.js';
import {resourceOf, type KindRef} from './kinds.js';
import type {KubeObject, ObjectRef} from './object.js';

/** Names the writer in managedFields. */
export const fieldManager = 'kubectl-mesh';

/** Path of a collection: of one namespace, or of the whole cluster where no namespace is given. */
export function collectionPath(kind: KindRef, namespace?: string): string {
  const {plural, namespaced} = resourceOf(kind);
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  return namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${root}/${plural}`;
}

/** Path of one object. */
export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref, ref.namespace)}/${encodeURIComponent(ref.name)}`;
}

/** A path with query parameters; undefined ones are left out. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** What identifies an object, from the object. */
export function refOf({apiVersion, kind, metadata: {name, namespace}}: KubeObject): ObjectRef {
  return defined({apiVersion, kind, name, namespace});
}

/** An object for people: `Secret istio-system/cacerts`, `Namespace istio-system`. */
export function describeRef({kind, name, namespace}: Omit<ObjectRef, 'apiVersion'>): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

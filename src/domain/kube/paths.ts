import {defined} from '../defined.js';
import {resourceOf, type KindRef} from './kinds.js';
import type {KubeObject, ObjectRef} from './object.js';

/** The field manager of this program's writes. */
export const fieldManager = 'kubectl-mesh';

/** Returns the path of a collection in one namespace, or in the whole cluster if no namespace is given. */
export function collectionPath(kind: KindRef, namespace?: string): string {
  const {plural, namespaced} = resourceOf(kind);
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  return namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${root}/${plural}`;
}

/** Returns the path of an object. */
export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref, ref.namespace)}/${encodeURIComponent(ref.name)}`;
}

/** Appends query parameters to a path. Undefined ones are left out. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Returns an object's reference. */
export function refOf({apiVersion, kind, metadata: {name, namespace}}: KubeObject): ObjectRef {
  return defined({apiVersion, kind, name, namespace});
}

/** Describes an object in messages: `Secret istio-system/cacerts`, `Namespace istio-system`. */
export function describeRef({kind, name, namespace}: Omit<ObjectRef, 'apiVersion'>): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

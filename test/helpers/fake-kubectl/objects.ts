/** The objects of the fake API server, and its rules for them. */
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
export function moveStringData(secret: FakeObject): void {
  if (secret.stringData === undefined) return;
  const texts = Object.entries(secret.stringData as Record<string, string>);
  const encoded = texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  secret.data = {...(secret.data as object | undefined), ...Object.fromEntries(encoded)};
  delete secret.stringData;
}

/** Identifies an object: KIND/NAMESPACE/NAME. */
export function keyOf(object: FakeObject): string {
  return `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Plural of a kind: all kinds of this program are regular. */
export function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith('s')) return lower === 'endpoints' ? lower : `${lower}es`;
  return lower.endsWith('y') && !lower.endsWith('ay') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** An object after a patch; undefined if it does not apply. */
export function patched(current: FakeObject, patch: unknown): FakeObject | undefined {
  const result = Array.isArray(patch)
    ? applyJsonPatch(current, patch as PatchOperation[])
    : applyMergePatch(current, patch);
  return result as FakeObject | undefined;
}

/** Why a Secret cannot be changed like this. */
export function secretRule(current: FakeObject, next: FakeObject): string | undefined {
  if ((next.type ?? 'Opaque') !== current.type) return 'type: Invalid value: field is immutable';
  if (current.immutable !== true) return undefined;
  if (next.immutable !== true) return 'immutable: Forbidden: field is immutable when `immutable` is set';
  const same = JSON.stringify(next.data) === JSON.stringify(current.data);
  return same ? undefined : 'data: Forbidden: field is immutable when `immutable` is set';
}

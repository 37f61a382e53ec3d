import type {Sensitive} from '../sensitive.js';
import type {KindRef} from './kinds.js';

/** Which fields one manager set last (server-side apply's bookkeeping), and when that last changed. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly time?: string;
  readonly fieldsV1?: unknown;
}

/** Kubernetes object metadata, as far as this program reads or writes it. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly {readonly kind: string; readonly name: string; readonly uid: string}[];
  readonly managedFields?: readonly ManagedFields[];
}

/** Any Kubernetes object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Names one object in one cluster. */
export interface ObjectRef extends KindRef {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
}

/** A Secret's decoded data: bytes as latin1 strings would lie about binary values, so they are buffers. */
export type SecretData = Readonly<Record<string, Sensitive<Buffer>>>;

/** A list answer of the API server. */
export interface KubeList<T extends KubeObject = KubeObject> {
  readonly items: readonly T[];
  readonly metadata: {readonly resourceVersion?: string; readonly continue?: string};
}

/**
 * When a field of an object was written last, by whoever owns it (Kubernetes documentation, "Server-Side Apply", field
 * management). `path` is as in fieldsV1: `['f:data', 'f:root-cert.pem']`. Undefined where the object does not say.
 */
export function fieldChangedAt({managedFields = []}: ObjectMeta, path: readonly string[]): Date | undefined {
  const times = managedFields
    .filter(({fieldsV1}) => owns(fieldsV1, path))
    .map(({time}) => Date.parse(time ?? ''))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

function owns(fields: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, first)) return false;
  return owns((fields as Readonly<Record<string, unknown>>)[first], rest);
}

import {defined} from '../defined.js';
import type {Sensitive} from '../sensitive.js';
import type {KindRef} from './kinds.js';
import type {FieldsOf} from './shapes.js';

/** The parts of Kubernetes object metadata that this program reads or writes. */
export type ObjectMeta = FieldsOf<'metadata'>['metadata'];

/** Any Kubernetes object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Identifies an object in a cluster. */
export interface ObjectRef extends KindRef {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
}

/** A Secret's decoded data. Values are buffers, because strings cannot represent binary data faithfully. */
export type SecretData = Readonly<Record<string, Sensitive<Buffer>>>;

/** The annotation in which `kubectl apply` stores a copy of the whole object, including a Secret's old data. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Returns the metadata that a replacement has to repeat, because PUT removes what it does not contain: labels, annotations, owners,
 * by which the object is garbage collected, and finalizers.
 */
export function keptMetadata({
  labels,
  annotations,
  ownerReferences,
  finalizers,
}: ObjectMeta): Pick<ObjectMeta, 'labels' | 'annotations' | 'ownerReferences' | 'finalizers'> {
  return defined({labels, annotations, ownerReferences, finalizers});
}

/** A list response of the API server. */
export interface KubeList<T extends KubeObject = KubeObject> {
  readonly items: readonly T[];
  readonly metadata: {readonly resourceVersion?: string; readonly continue?: string};
}

/**
 * Returns when an owner of a field last changed it (Kubernetes documentation, "Server-Side Apply", field management).
 * `path` is as in fieldsV1: `['f:data', 'f:root-cert.pem']`. Undefined if the object has no such information.
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

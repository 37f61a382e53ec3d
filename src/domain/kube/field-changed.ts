import type {ObjectMeta} from './object.js';

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

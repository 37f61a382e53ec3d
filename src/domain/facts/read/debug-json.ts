/** Reads the JSON of istiod's debug endpoints. */
import type * as z from 'zod';
import {MeshError} from '../../errors.js';

/** A response of an istiod pod. */
export interface DebugResponse {
  readonly text: string;
  /** `/debug/clusterz`. */
  readonly path: string;
  readonly pod: string;
}

/**
 * Validates a response. Go encodes a nil slice or map as null: it counts as `empty`. Throws `API_ERROR` if the text is not
 * JSON or has another shape, which `what` names: `a list of clusters`.
 */
export function readDebugJson<T>(
  schema: z.ZodType<T>,
  {text, path, pod}: DebugResponse,
  {empty, what}: {readonly empty: unknown; readonly what: string},
): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new MeshError('API_ERROR', `${path} of ${pod} is not valid JSON`, {cause: thrown});
  }
  const read = schema.safeParse(value ?? empty);
  if (!read.success) throw new MeshError('API_ERROR', `${path} of ${pod} is not ${what}`, {cause: read.error});
  return read.data;
}

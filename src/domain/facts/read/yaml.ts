/** YAML in ConfigMaps of Istio. */
import {parse} from 'yaml';
import * as z from 'zod';
import {MeshError} from '../../errors.js';

/** A text that may be absent. An empty text, and anything else, counts as absent. */
export const word = z.string().min(1).optional().catch(undefined);

/** A text, parsed by a schema; anything but an object counts as an empty one. Throws `API_ERROR` with `message` when it is no YAML. */
export function readYaml<T>(schema: z.ZodType<T>, text: string | undefined, message: string): T {
  let value: unknown;
  try {
    value = parse(text ?? '', {maxAliasCount: 0});
  } catch (cause) {
    throw new MeshError('API_ERROR', message, {cause});
  }
  return schema.parse(typeof value === 'object' && !Array.isArray(value) ? (value ?? {}) : {});
}

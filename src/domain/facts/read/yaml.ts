/** Reads YAML in Istio's ConfigMaps. */
import * as z from 'zod';
import {MeshError} from '../../errors.js';
import {parseForeignYaml} from '../../foreign-yaml.js';

/** An optional text. An empty text or a value of another type counts as absent. */
export const word = z.string().min(1).optional().catch(undefined);

/** Parses a text with a schema; anything but an object counts as an empty one. Throws `API_ERROR` with `message` if it is not YAML. */
export function readYaml<T>(schema: z.ZodType<T>, text: string | undefined, message: string): T {
  let value: unknown;
  try {
    value = parseForeignYaml(text ?? '');
  } catch (cause) {
    throw new MeshError('API_ERROR', message, {cause});
  }
  return schema.parse(typeof value === 'object' && !Array.isArray(value) ? (value ?? {}) : {});
}

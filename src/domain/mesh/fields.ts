/** Building blocks of the schemas of mesh.yaml and signers. Each rule's error states what is allowed: "must be …". */
// A namespace import: the bundler removes the unused parts (two thirds, mainly messages in all languages).
import * as z from 'zod';

/** A string. A wrong type and a wrong format cause the same error. */
export function text(rule: string, pattern: RegExp) {
  return z.string({error: `must be ${rule}`}).regex(pattern, {error: `must be ${rule}`});
}

/** A string without line breaks or other control characters. */
export const line = (rule: string) => text(`${rule}, on one line`, /^[^\u0000-\u001f\u007f]{1,1024}$/);

/** One of these values. */
export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, {error: `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`});
}

export const flag = z.boolean({error: 'must be true or false'});

/** A list of items with the same schema. */
export function list<Item extends z.ZodType>(rule: string, item: Item) {
  return z.array(item, {error: `must be ${rule}`});
}

/** A map with these fields and no others. A field with `?` is optional. */
export function map<Shape extends z.ZodRawShape>(rule: string, shape: Shape) {
  return kind(shape, `must be ${rule}`);
}

/** One of several kinds of maps. The message of `unrecognized_keys` is the list of known fields. */
export function kind<Shape extends z.ZodRawShape>(shape: Shape, message?: string) {
  const named = Object.entries(shape).map(([name, schema]) =>
    name.endsWith('?') ? [name.slice(0, -1), z.exactOptional(schema)] : [name, schema],
  );
  const fields = Object.fromEntries(named) as {
    [Name in keyof Shape as Name extends `${infer Bare}?` ? Bare : Name]: Name extends `${string}?`
      ? z.ZodExactOptional<Shape[Name]>
      : Shape[Name];
  };
  const known = Object.keys(fields).join(', ');
  return z.strictObject(fields, {error: ({code}) => (code === 'unrecognized_keys' ? known : message)});
}

/** The read-only type of a schema's values. */
export type Parsed<Schema extends z.ZodType> = Frozen<z.infer<Schema>>;

type Frozen<T> = T extends object ? {readonly [Key in keyof T]: Frozen<T[Key]>} : T;

/** What the schemas of mesh.yaml and of a signer are made of. Every rule says in its error what is allowed: "must be …". */
// A namespace import: the bundler leaves out what is not used of it (two thirds, every language's messages above all).
import * as z from 'zod';

/** A text. A wrong type and a wrong form get the same error. */
export function text(rule: string, pattern: RegExp) {
  return z.string({error: `must be ${rule}`}).regex(pattern, {error: `must be ${rule}`});
}

/** A text without line breaks and other control characters. */
export const line = (rule: string) => text(`${rule}, on one line`, /^[^\u0000-\u001f\u007f]{1,1024}$/);

/** One of these words. */
export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, {error: `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`});
}

export const flag = z.boolean({error: 'must be true or false'});

/** A list of values of one kind. */
export function list<Item extends z.ZodType>(rule: string, item: Item) {
  return z.array(item, {error: `must be ${rule}`});
}

/** A map with these fields and no others; a name with `?` may be left out. */
export function map<Shape extends z.ZodRawShape>(rule: string, shape: Shape) {
  return kind(shape, `must be ${rule}`);
}

/** One of several kinds of a map. The message of `unrecognized_keys` is the list of the fields that there are. */
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

/** What a schema returns: read-only. */
export type Read<Schema extends z.ZodType> = Frozen<z.infer<Schema>>;

type Frozen<T> = T extends object ? {readonly [Key in keyof T]: Frozen<T[Key]>} : T;

/** The same properties, where the optional ones may also be undefined. Required ones must have a value. */
type OrUndefined<T> = {
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- also true for the keys of a Record
  [Key in keyof T]: Record<never, never> extends Pick<T, Key> ? T[Key] | undefined : T[Key];
};

/**
 * Returns the object without its undefined properties, for types whose optional properties are either absent or have a
 * value (`exactOptionalPropertyTypes`). The result has the type that the context expects, so that an excess property is an
 * error, as in an object literal.
 */
export function defined<T extends object>(object: NoInfer<OrUndefined<T>>): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

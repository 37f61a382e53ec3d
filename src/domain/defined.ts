/** A value of an optional property may be undefined here; a required one must be there. */
type OrUndefined<T> = {
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- also true for the keys of a Record
  [Key in keyof T]: Record<never, never> extends Pick<T, Key> ? T[Key] | undefined : T[Key];
};

/**
 * The object without the properties that are undefined, for types whose optional properties are absent or have a value
 * (`exactOptionalPropertyTypes`). Its type is the one that is expected where it is used, so that a property which that type
 * does not have is an error, as in an object literal.
 */
export function defined<T extends object>(object: NoInfer<OrUndefined<T>>): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

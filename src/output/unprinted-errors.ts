/** Errors of a result in a format without errors: they are printed to standard error, also with `-q`. */
import {allErrorLines} from './format.js';
import type {Printed, View} from './view.js';

/** The formats that contain only names or numbers. */
const withoutErrors: ReadonlySet<string> = new Set(['name', 'prometheus']);

/** The lines about errors that the format does not contain. */
export function unprintedErrors<Result extends object, Request>(
  result: Printed<Result> & object,
  {problems}: View<Result, Request>,
  format: string,
): readonly string[] {
  if (!withoutErrors.has(format)) return [];
  return problems?.(result) ?? errorsOf(result);
}

/** The errors of the run and of its clusters: the fields that results have in common. */
function errorsOf(result: object): readonly string[] {
  const {errors = [], clusters = []} = result as Partial<Parameters<typeof allErrorLines>[0]>;
  return allErrorLines({errors, clusters});
}

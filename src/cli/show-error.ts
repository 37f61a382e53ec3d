/** An error for people (standard error) or for programs (a small JSON object on standard output). */
import {reportError, type MeshError} from '../domain/errors.js';
import {createPainter, errorLines} from '../output/format.js';
import {renderHint} from './suggest/render.js';

/** The version of the shape of every JSON answer. */
export const schemaVersion = 1;

/** The JSON answer of a run that ended in an error: no argument list, no stack (docs/exit-codes.md). */
export function errorAsJson(error: MeshError): string {
  return JSON.stringify({schemaVersion, error: reportError(error)}, undefined, 2);
}

/** The error for people: what is wrong, then what to do. Only our own bugs show a stack. */
export function errorAsText(error: MeshError, color: boolean): string {
  const [first = '', ...rest] = errorLines({
    message: error.message,
    hints: error.hints.map((hint) => renderHint(hint, {})),
  });
  const lines = [`${createPainter(color).error('Error:')} ${first}`, ...rest];
  if (error.class === 'bug') {
    const {cause} = error;
    lines.push(
      '  This is a fault of kubectl mesh itself. Please report it with this stack:',
      (cause instanceof Error ? cause.stack : error.stack) ?? '',
    );
  }
  return lines.join('\n');
}

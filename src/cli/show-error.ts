/** An error for people (standard error) or for programs (a small JSON object on standard output). */
import {Ansis} from 'ansis';
import {reportError, type MeshError} from '../domain/errors.js';
import {printable} from '../domain/printable.js';
import {renderHint} from './suggest/render.js';

/** The version of the shape of every JSON answer. */
export const schemaVersion = 1;

/** The JSON answer of a run that ended in an error: no argument list, no stack (docs/exit-codes.md). */
export function errorAsJson(error: MeshError): string {
  return JSON.stringify({schemaVersion, error: reportError(error)}, undefined, 2);
}

/** The error for people: what is wrong, then what to do. Only our own bugs show a stack. */
export function errorAsText(error: MeshError, color: boolean): string {
  // Level 1: the sixteen colours that every terminal has.
  const paint = new Ansis(color ? 1 : 0);
  const lines = [
    `${paint.red('Error:')} ${printable(error.message)}`,
    ...error.hints.map((hint) => `  ${paint.dim('→')} ${printable(renderHint(hint, {}))}`),
  ];
  if (error.class === 'bug') {
    const {cause} = error;
    lines.push(
      '  This is a fault of kubectl mesh itself. Please report it with this stack:',
      (cause instanceof Error ? cause.stack : error.stack) ?? '',
    );
  }
  return lines.join('\n');
}

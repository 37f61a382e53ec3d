/** Errors as text for standard error, or as a small JSON object for standard output. */
import {reportError, type MeshError} from '../domain/errors.js';
import {printableJson} from '../domain/printable.js';
import {createPainter, errorLines} from '../output/format.js';
import {renderHint} from './suggest/render.js';

/** The schema version of all JSON output. */
export const schemaVersion = 1;

/** The JSON output of a run that failed: no command line, no stack trace (docs/exit-codes.md). */
export function errorAsJson(error: MeshError): string {
  return printableJson({schemaVersion, error: reportError(error)});
}

/** The error as text: what happened, then what to do. Only internal errors include a stack trace. */
export function errorAsText(error: MeshError, color: boolean): string {
  const [first = '', ...rest] = errorLines({
    message: error.message,
    hints: error.hints.map((hint) => renderHint(hint, {})),
  });
  const lines = [`${createPainter(color).error('error:')} ${first}`, ...rest];
  if (error.class === 'bug') {
    const {cause} = error;
    lines.push(
      '  this is a bug in kubectl mesh; please report it with this stack trace:',
      (cause instanceof Error ? cause.stack : error.stack) ?? '',
    );
  }
  return lines.join('\n');
}

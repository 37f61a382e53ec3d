/** Turns the suggestions in results and errors into text, with the flags of this run. */
import {MeshError} from '../../domain/errors.js';
import {Advice, meshCommandsIn, Suggestion} from '../../domain/suggest/suggestion.js';
import type {ProgressEvent} from '../../engine/operation.js';
import {PrintedCommand, type Printed} from '../../output/view.js';
import type {ShownEvent} from '../../output/plain-progress.js';
import {renderHint, renderSuggestion} from './render.js';
import type {TypedTarget} from './typed-target.js';

/** A result for views and JSON. Results are plain data: everything in them besides suggestions and hints stays as it is. */
export function printResult<Result extends object>(result: Result, typed: TypedTarget): Printed<Result> & object {
  const walk = (value: unknown): unknown => {
    if (value instanceof Suggestion) {
      const agrees = meshCommandsIn(value).some(({words}) => words.includes('--yes'));
      return new PrintedCommand(renderSuggestion(value, typed), value.purpose, agrees);
    }
    if (value instanceof Advice) return renderHint(value, typed);
    if (Array.isArray(value)) return value.map(walk);
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item)]));
  };
  // The walk replaces exactly what the type Printed replaces.
  return walk(result) as Printed<Result> & object;
}

/** An event of a run as it is drawn. */
export function printEvent(event: ProgressEvent, typed: TypedTarget): ShownEvent {
  return event.type === 'warning' ? {type: 'warning', warning: printResult(event.warning, typed)} : event;
}

/** The error with its hints as text. */
export function printError(error: MeshError, typed: TypedTarget): MeshError {
  if (!error.hints.some((hint) => hint instanceof Advice)) return error;
  return new MeshError(error.code, error.message, {
    hints: error.hints.map((hint) => renderHint(hint, typed)),
    cause: error.cause,
  });
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Renders the suggestions in results and errors as text, with the flags of this run. */
import {MeshError} from '../../domain/errors.js';
import {Advice, meshCommandsIn, Suggestion} from '../../domain/suggest/suggestion.js';
import type {ProgressEvent} from '../../engine/operation.js';
import {PrintedCommand, type Printed} from '../../output/view.js';
import type {ShownEvent} from '../../output/plain-progress.js';
import {renderHint, renderSuggestion} from './render.js';
import type {TypedTarget} from './typed-target.js';

/** A result for views and JSON, with its suggestions and hints as text. All other values are unchanged plain data. */
export function printResult<Result extends object>(result: Result, typed: TypedTarget): Printed<Result> & object {
  const walk = (value: unknown): unknown => {
    if (value instanceof Suggestion) {
      const skipsPrompts = meshCommandsIn(value).some(({words}) => words.includes('--yes'));
      const render = (one: Suggestion): string => renderSuggestion(one, typed);
      return new PrintedCommand(render(value), value.purpose, skipsPrompts, value, render);
    }
    if (value instanceof Advice) return renderHint(value, typed);
    if (Array.isArray(value)) {
      const items = value.map(walk);
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    if (!isPlain(value)) return value;
    // Most objects of a large result contain no suggestion.
    const changed = Object.entries(value).flatMap(([name, item]) => {
      const printed = walk(item);
      return printed === item ? [] : [[name, printed] as const];
    });
    return changed.length === 0 ? value : {...value, ...Object.fromEntries(changed)};
  };
  // `walk` replaces the same values as the type Printed.
  return walk(result) as Printed<Result> & object;
}

/** A progress event with its suggestions and hints as text. */
export function printEvent(event: ProgressEvent, typed: TypedTarget): ShownEvent {
  return event.type === 'warning' ? {type: 'warning', warning: printResult(event.warning, typed)} : event;
}

/** An error with its hints as text. */
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

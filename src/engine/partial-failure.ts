import {MeshError} from '../domain/errors.js';
import type {ActionKind} from './action.js';
import type {ResultOf} from './action-result.js';

/** The error of an effect that acts on several things and did some of them: its result is reported and journalled as well. */
export class PartialFailure<Kind extends ActionKind = ActionKind> extends MeshError {
  constructor(
    {code, message, hints, cause}: MeshError,
    readonly result: ResultOf<Kind>,
  ) {
    super(code, message, {hints, cause});
  }
}

/** Whether an effect failed partly. */
export function isPartialFailure(thrown: unknown): thrown is PartialFailure {
  return thrown instanceof PartialFailure;
}

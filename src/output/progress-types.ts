import {type Warning, type ProgressEvent} from '../engine/operation.js';
import type {Printed} from './printed.js';

/** What is drawn: events of the engine, their warnings as text. */
export type ShownEvent =
  Exclude<ProgressEvent, {readonly type: 'warning'}> | {readonly type: 'warning'; readonly warning: Printed<Warning>};

/** Draws or writes what the engine reports. */
export interface Progress {
  readonly report: (event: ShownEvent) => void;
  /** Stops drawing; resolves when everything drawn is final: a question comes, or the result. */
  rest(): Promise<void>;
}

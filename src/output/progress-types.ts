import type {Reporter} from '../engine/progress.js';

/** Draws or writes what the engine reports. */
export interface Progress {
  readonly report: Reporter;
  /** Stops drawing; resolves when everything drawn is final: a question comes, or the result. */
  rest(): Promise<void>;
}

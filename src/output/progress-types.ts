import type {Reporter} from '../engine/progress.js';

/** Draws or writes what the engine reports. */
export interface Progress {
  readonly report: Reporter;
  /** Stops drawing until the next group: a question comes, or the result. */
  pause(): void;
  /** Resolves when everything drawn is final. */
  end(): Promise<void>;
}

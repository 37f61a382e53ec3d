/** vitest global setup: nothing of an earlier run may be taken for this one's. */
import {forgetResults} from './results.js';

export default function setup(): void {
  forgetResults();
}

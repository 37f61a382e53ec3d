/** Shows waits on a terminal and in logs until they end. */
import type {Wait} from '../engine/operation.js';
import {cut, formatDuration} from './format.js';

/** `cluster1: waiting: MESH402 Every istiod pod is Running and ready (12 s of 5 min)`, truncated to `width` characters. */
export function waitLine(wait: Wait, width?: number): string {
  const duration = ` ${waitDuration(wait)}`;
  return `${cut(`${wait.where}: waiting: ${wait.what}`, width && width - duration.length)}${duration}`;
}

/** `(12 s of 5 min)`. */
export function waitDuration({elapsedMs, limitMs}: Wait): string {
  return `(${formatDuration(elapsedMs)} of ${formatDuration(limitMs)})`;
}

/** Calls `show` with a wait, then each second with its new duration, until the wait ends. */
export interface Ticker {
  readonly start: (wait: Wait) => void;
  readonly end: () => void;
  readonly isRunning: () => boolean;
}

/** Creates a ticker. Its timer does not keep the process running. */
export function createTicker(show: (wait: Wait) => void, clock: () => number = Date.now): Ticker {
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    start(wait) {
      end();
      const start = clock() - wait.elapsedMs;
      const tick = (): void => {
        show({...wait, elapsedMs: clock() - start});
      };
      timer = setInterval(tick, 1000).unref();
      tick();
    },
    end,
    isRunning: () => timer !== undefined,
  };
}

/** Aborts a run on Ctrl-C, SIGTERM, SIGHUP and after `--timeout` (docs/architecture.md). */
import {setMaxListeners} from 'node:events';
import {MeshError} from '../domain/errors.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The abort signal of a run. */
export interface Abort {
  readonly signal: AbortSignal;
  /** Removes the handlers and the timer. */
  dispose(): void;
}

/** Aborts with `INTERRUPTED` on the first signal, with `TIMEOUT` after `timeoutMs`. A second signal exits at once. */
export function createAbort(timeoutMs: number | undefined): Abort {
  const controller = new AbortController();
  // Every pending request adds a listener: a large number is not a leak.
  setMaxListeners(0, controller.signal);
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new MeshError('INTERRUPTED', `interrupted by ${name}`));
  };
  for (const name of signals) process.on(name, onSignal);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          controller.abort(
            new MeshError('TIMEOUT', `timed out after ${String(timeoutMs / 1000)} s`, {
              hints: ['run the command again: completed steps are not repeated', 'to allow more time, use --timeout'],
            }),
          );
        }, timeoutMs);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of signals) process.removeListener(name, onSignal);
      clearTimeout(timer);
    },
  };
}

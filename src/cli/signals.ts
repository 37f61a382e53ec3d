/** The one place that owns the abort: Ctrl-C, SIGTERM, SIGHUP and `--timeout` (docs/architecture.md). */
import {setMaxListeners} from 'node:events';
import {MeshError} from '../domain/errors.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A run that can be stopped from outside. */
export interface Abort {
  readonly signal: AbortSignal;
  /** Takes the handlers and the timer away again. */
  dispose(): void;
}

/**
 * Aborts with `INTERRUPTED` at the first signal, and with `TIMEOUT` after `timeoutMs`. A second signal ends the process
 * at once: the person means it.
 */
export function createAbort(timeoutMs: number | undefined): Abort {
  const controller = new AbortController();
  // Every request under way listens: many are no leak.
  setMaxListeners(0, controller.signal);
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new MeshError('INTERRUPTED', `Interrupted (${name})`));
  };
  for (const name of signals) process.on(name, onSignal);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          controller.abort(
            new MeshError('TIMEOUT', `Not finished after ${String(timeoutMs / 1000)} s`, {
              hints: ['Run it again: only what is left will be done', 'Give it more time with --timeout'],
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

import {asMeshError} from '../../../domain/errors.js';
import {pause} from './pause.js';

/** Changes come in bursts (a pod's containers, a ConfigMap in each namespace): this long nothing new ends one. Milliseconds. */
const quietMs = 300;
/** How many times a burst is given that much longer. */
const longestBurst = 7;

/** What watches ring when something changed. Rings while nobody listens are remembered as one. */
export class Bell {
  #rung = false;
  #failure: Error | undefined;
  #listener: (() => void) | undefined;

  /** Something changed. */
  ring(): void {
    this.#rung = true;
    this.#listener?.();
  }

  /** Watching ended with a bug: whoever listens is told. */
  fail(thrown: unknown): void {
    this.#failure ??= asMeshError(thrown);
    this.ring();
  }

  /**
   * Resolves once it has rung and the burst is over (true), or when the signal aborts (false). Throws what it was failed
   * with.
   */
  async burst(signal: AbortSignal): Promise<boolean> {
    await this.#nextRing(signal);
    for (let times = 0; times < longestBurst && this.#take(); times++) await pause(quietMs, signal);
    return !signal.aborted;
  }

  /** Whether it has rung since this was asked last. */
  #take(): boolean {
    if (this.#failure) throw this.#failure;
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }

  async #nextRing(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#rung) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#listener = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listener = done;
      signal.addEventListener('abort', done, {once: true});
    });
  }
}

import {asMeshError} from '../../../domain/errors.js';
import {pause} from './pause.js';

/** Changes come in bursts (a pod's containers, a ConfigMap in each namespace): this long nothing new ends one. Milliseconds. */
const quietMs = 300;
/** How many times a burst is given that much longer: two seconds. */
const shortBurst = 7;
/** Where changes never end (a neighbour's pod that crashes again and again), each look is a little later, up to 15 seconds. */
const longestBurst = 50;

/** What watches ring when something changed. Rings while nobody listens are remembered as one. */
export class Bell {
  #rung = false;
  #failure: Error | undefined;
  #listener: (() => void) | undefined;
  #patience = shortBurst;

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
    let times = 0;
    for (; times < this.#patience && this.#take(); times++) await pause(quietMs, signal);
    this.#patience = times < this.#patience ? shortBurst : Math.min(this.#patience * 2, longestBurst);
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

/** Resolves after so many milliseconds, or as soon as the signal aborts. Leaves neither timer nor listener behind. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, {once: true});
  });
}

/** The first pause of a row. Milliseconds. */
const firstMs = 1000;
/** The longest: about as long as istiod's lease of the leader lasts, so that nobody waits much longer than needed. */
const longestMs = 15_000;

/** Pauses that double while the same thing is tried again and again. */
export class Pauses {
  #nextMs = firstMs;

  /** The next pause. Milliseconds. */
  next(): number {
    const milliseconds = this.#nextMs;
    this.#nextMs = Math.min(milliseconds * 2, longestMs);
    return milliseconds;
  }

  /** The next pause is a short one again. */
  reset(): void {
    this.#nextMs = firstMs;
  }
}

/** Work that repeats while a test runs, as that of a kubelet. */
import {setTimeout as sleep} from 'node:timers/promises';

/** Repeats one piece of work until it is stopped; can be started again. */
export class Loop {
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(
    private readonly intervalMs: number,
    private readonly work: () => Promise<void>,
  ) {}

  /** Does nothing if the loop runs. */
  start(): void {
    this.#stopping = false;
    this.#running ??= this.#run();
  }

  /** Resolves when the current repetition has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    this.#running = undefined;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      // An API server that is stopped is part of some tests: nothing changes for the processes, as with a real kubelet.
      await this.work().catch((error: unknown) => {
        if (!(error instanceof Error)) throw error;
      });
      await sleep(this.intervalMs);
    }
  }
}

import {asMeshError, type ErrorCode} from '../../../domain/errors.js';
import type {KubeApi} from '../../../tools/kubectl/api.js';
import type {Bell} from './bell.js';
import {pause, Pauses} from './pause.js';

/** Refusals are answers, too. */
const answers: readonly ErrorCode[] = ['FORBIDDEN', 'UNAUTHORIZED', 'NOT_FOUND'];
/** After this long without trouble it begins with a short pause again. Milliseconds. */
const forgottenMs = 60_000;

/** What a gate works with. */
export interface GateOptions {
  readonly open: () => Promise<KubeApi>;
  readonly bell: Bell;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * Where the watches of one cluster wait after one of them ended, until its API server answers: one request at a time for
 * all of them, with growing pauses.
 */
export class Gate {
  readonly #pauses = new Pauses();
  #passing: Promise<void> | undefined;
  #isSilent = false;
  #passedAt = 0;

  constructor(private readonly options: GateOptions) {}

  /** Whether the API server was asked and did not answer. It rings when the API server does. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Resolves after a pause, once the API server is ready, or when the signal aborts. Throws only bugs. */
  pass(): Promise<void> {
    this.#passing ??= this.#wait().finally(() => {
      this.#passing = undefined;
    });
    return this.#passing;
  }

  async #wait(): Promise<void> {
    const {bell, now, signal} = this.options;
    if (now().getTime() - this.#passedAt > forgottenMs) this.#pauses.reset();
    for (;;) {
      await pause(this.#pauses.next(), signal);
      if (signal.aborted) return;
      if (await this.#isReady()) break;
      this.#isSilent = true;
    }
    // What could not be seen meanwhile can be now, whether or not it changed.
    if (this.#isSilent) bell.ring();
    this.#isSilent = false;
    this.#passedAt = now().getTime();
  }

  /** Not before it has read its own roles: until then a starting API server refuses what it will allow (`/readyz`). */
  async #isReady(): Promise<boolean> {
    try {
      await (await this.options.open()).raw('/readyz');
      return true;
    } catch (thrown) {
      const error = asMeshError(thrown);
      if (error.class === 'bug') throw error;
      return this.options.signal.aborted || answers.includes(error.code);
    }
  }
}

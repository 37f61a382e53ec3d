/**
 * Progress as lines on standard error, for scripts and logs. Rules: one line for each relevant event, no animation, no
 * color, every line names its lane; a wait prints at most one line every ten seconds; nothing is written to standard output.
 */
import {printableLine} from '../domain/printable.js';
import type {Group, ProgressEvent, Warning} from '../engine/operation.js';
import type {Printed} from './view.js';
import {createTicker, type Ticker, waitLine} from './wait.js';

/** An engine event, with its warning as text. */
export type ShownEvent =
  Exclude<ProgressEvent, {readonly type: 'warning'}> | {readonly type: 'warning'; readonly warning: Printed<Warning>};

/** Shows the engine's events. */
export interface Progress {
  readonly report: (event: ShownEvent) => void;
  /** Stops the animation; resolves when a prompt or the result can be printed. */
  rest(): Promise<void>;
}

/** The minimum time between two lines about one wait. Milliseconds. */
const waitLineMs = 10_000;

/** Writes each line with `write`. With `quiet`, only warnings and plans before a prompt are written. */
export function createPlainProgress(
  write: (text: string) => void,
  quiet: boolean,
  clock: () => number = Date.now,
): Progress {
  const writeLine = (text: string): void => {
    write(`${printableLine(text)}\n`);
  };
  /** The wait of each lane; under '', the wait outside of lanes. */
  const waits = new Map<string, Ticker>();
  const waitOf = (key: string): Ticker => {
    let written = -Infinity;
    const ticker =
      waits.get(key) ??
      createTicker((wait) => {
        if (clock() - written < waitLineMs) return;
        written = clock();
        writeLine(waitLine(wait));
      }, clock);
    waits.set(key, ticker);
    return ticker;
  };
  return {
    report(event) {
      if (event.type === 'warning') writeLine(warningLine(event.warning));
      else if (event.type === 'planned') for (const line of planLines(event.groups)) writeLine(line);
      else if (quiet) return;
      else if (event.type === 'note') writeLine(event.message);
      else if (event.type === 'lane-line') writeLine(`${event.lane}: ${event.line}`);
      else if (event.type === 'waiting') waitOf(event.lane ?? '').start(event.wait);
      else if (event.type === 'wait-ended') waits.get('')?.end();
      else if (event.type === 'lane-ended') {
        waits.get(event.lane)?.end();
        waits.delete(event.lane);
        const ended = event.outcomes.find((outcome) => outcome.error);
        if (ended?.error) writeLine(`${event.lane}: ${ended.status}: ${ended.error.message}`);
      }
    },
    rest() {
      for (const ticker of waits.values()) ticker.end();
      return Promise.resolve();
    },
  };
}

/** A warning on one line. */
export function warningLine(warning: Printed<Warning>): string {
  return `Warning: ${warning.cluster === undefined ? '' : `${warning.cluster}: `}${warning.message}`;
}

/** The plan, printed before the confirmation prompt. */
export function planLines(groups: readonly Group[]): readonly string[] {
  return groups.flatMap((group) =>
    group.lanes.flatMap((lane) => lane.actions.map((action) => `${lane.cluster ?? lane.key}: will ${action.title}`)),
  );
}

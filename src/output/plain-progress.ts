/**
 * Progress as lines on standard error, for scripts and logs. Rules: one line an event that matters later, no drawing, no
 * colour, every line names its lane; standard output is never touched.
 */
import {printableLine} from '../domain/printable.js';
import type {Group, ProgressEvent, Warning} from '../engine/operation.js';
import type {Printed} from './view.js';

/** What is drawn: events of the engine, their warnings as text. */
export type ShownEvent =
  Exclude<ProgressEvent, {readonly type: 'warning'}> | {readonly type: 'warning'; readonly warning: Printed<Warning>};

/** Draws or writes what the engine reports. */
export interface Progress {
  readonly report: (event: ShownEvent) => void;
  /** Stops drawing; resolves when everything drawn is final: a question comes, or the result. */
  rest(): Promise<void>;
}

/** Writes to `write`, a line at a time. Quiet leaves only warnings. */
export function createPlainProgress(write: (text: string) => void, quiet: boolean): Progress {
  const say = (text: string): void => {
    write(`${printableLine(text)}\n`);
  };
  return {
    report(event) {
      if (event.type === 'warning') say(warningLine(event.warning));
      else if (event.type === 'planned') for (const line of planLines(event.groups)) say(line);
      else if (quiet) return;
      else if (event.type === 'note') say(event.message);
      else if (event.type === 'lane-line') say(`${event.lane}: ${event.line}`);
      else if (event.type === 'lane-ended') {
        const ended = event.outcomes.find((outcome) => outcome.error);
        if (ended?.error) say(`${event.lane}: ${ended.status}: ${ended.error.message}`);
      }
    },
    async rest() {
      // Nothing is drawn, so nothing is left to finish.
    },
  };
}

/** A warning on one line. */
export function warningLine(warning: Printed<Warning>): string {
  return `Warning: ${warning.cluster === undefined ? '' : `${warning.cluster}: `}${warning.message}`;
}

/** What is about to be done, shown before it must be agreed to. */
export function planLines(groups: readonly Group[]): readonly string[] {
  return groups.flatMap((group) =>
    group.lanes.flatMap((lane) => lane.actions.map((action) => `${lane.cluster ?? lane.key}: will ${action.title}`)),
  );
}

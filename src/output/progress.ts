/**
 * Progress drawn with listr2, for a person at a terminal: a task a lane, its news beside it, marks when it is done.
 * Rules: it draws on standard error only, nothing else writes while it draws, and it registers no signal handler
 * (listr2 would exit with 127 on Ctrl-C). The only import of listr2.
 */
import {Listr, type ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput} from 'listr2';
import {printableLine} from '../domain/printable.js';
import type {Group, Lane, Outcome} from '../engine/operation.js';
import {planLines, type Progress, warningLine} from './plain-progress.js';

/** Draws on `stream`. */
export function createDrawnProgress(stream: NodeJS.WriteStream): Progress {
  let lanes = new Map<string, ReturnType<typeof drawLane>>();
  let drawing: Promise<unknown> = Promise.resolve();
  let active = false;
  const waiting: string[] = [];
  const print = (line: string): void => {
    if (active) waiting.push(line);
    else stream.write(`${printableLine(line)}\n`);
  };
  const draw = (group: Group): void => {
    const drawn = group.lanes.map(drawLane);
    lanes = new Map(drawn.map((lane) => [lane.key, lane]));
    // One after the other: listr2 takes the stream's write away while it draws, and a second one that started meanwhile
    // would give back what it found, which is the first one's.
    drawing = drawing.then(() => {
      active = true;
      return new Listr(
        drawn.map(({title, task}) => ({title, task})),
        {
          concurrent: true,
          exitOnError: false,
          registerSignalListeners: false,
          rendererOptions: {
            collapseErrors: false,
            logger: new ListrLogger<ListrDefaultRendererLogLevels>({
              useIcons: true,
              processOutput: new ProcessOutput(stream, stream),
            }),
          },
        },
      ).run();
    });
  };
  const finishGroup = (): void => {
    for (const lane of lanes.values()) lane.finish([]);
    lanes = new Map();
    drawing = drawing.then(() => {
      active = false;
      for (const line of waiting.splice(0)) print(line);
    });
  };
  return {
    report(event) {
      switch (event.type) {
        case 'group-started':
          draw(event.group);
          break;
        case 'lane-line':
          lanes.get(event.lane)?.say(printableLine(event.line));
          break;
        case 'lane-ended':
          lanes.get(event.lane)?.finish(event.outcomes);
          break;
        case 'group-ended':
          finishGroup();
          break;
        case 'planned':
          for (const line of planLines(event.groups)) print(line);
          break;
        case 'note':
          print(event.message);
          break;
        case 'warning':
          print(warningLine(event.warning));
          break;
        case 'gathering':
        case 'lane-started':
          break;
      }
    },
    async rest() {
      if (lanes.size > 0) finishGroup();
      await drawing;
    },
  };
}

/** A lane as a task of listr2, and how the engine's events reach it. */
function drawLane({key, title}: Lane) {
  let end: (outcomes: readonly Outcome[]) => void = () => undefined;
  const ended = new Promise<readonly Outcome[]>((resolve) => (end = resolve));
  let drawn: {output: string} | undefined;
  return {
    key,
    title: printableLine(title),
    say(line: string): void {
      if (drawn) drawn.output = line;
    },
    finish(outcomes: readonly Outcome[]): void {
      end(outcomes);
    },
    task: async (_context: unknown, task: {output: string}): Promise<void> => {
      drawn = task;
      const error = (await ended).find((outcome) => outcome.error)?.error;
      if (error) throw new Error(printableLine(error.message));
    },
  };
}

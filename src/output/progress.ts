/**
 * Animated progress on a terminal, with listr2: a task for each lane with its current step, and one line for a wait outside
 * of lanes. Rules: it draws on standard error only, nothing else writes there meanwhile, and it registers no signal handler
 * (listr2 would exit with 127 on Ctrl-C). The only import of listr2.
 */
import {Listr, type ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput} from 'listr2';
import {printableLine} from '../domain/printable.js';
import type {Group, Lane, Outcome, Wait} from '../engine/operation.js';
import {planLines, type Progress, warningLine} from './plain-progress.js';
import {createTicker, waitDuration, waitLine} from './wait.js';

/** Creates progress that is drawn on `stream`. */
export function createDrawnProgress(stream: NodeJS.WriteStream): Progress {
  let lanes = new Map<string, ReturnType<typeof drawLane>>();
  let drawing: Promise<unknown> = Promise.resolve();
  let active = false;
  const waiting = drawWait(stream);
  const pending: string[] = [];
  const print = (line: string): void => {
    if (active) pending.push(line);
    else waiting.above(`${printableLine(line)}\n`);
  };
  const draw = (group: Group): void => {
    const drawn = group.lanes.map(drawLane);
    lanes = new Map(drawn.map((lane) => [lane.key, lane]));
    // In sequence: listr2 replaces the stream's write function while it draws. A second instance that starts meanwhile
    // would later restore that of the first one.
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
      for (const line of pending.splice(0)) print(line);
    });
  };
  return {
    report(event) {
      switch (event.type) {
        case 'group-started':
          draw(event.group);
          break;
        case 'lane-line':
          lanes.get(event.lane)?.show(printableLine(event.line));
          break;
        case 'waiting':
          // Drawn after the final frame of the last group.
          if (event.lane === undefined)
            drawing = drawing.then(() => {
              waiting.show(event.wait);
            });
          else lanes.get(event.lane)?.wait(event.wait);
          break;
        case 'wait-ended':
          drawing = drawing.then(waiting.clear);
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
      waiting.clear();
    },
  };
}

/** Returns to the start of the line and erases it (ECMA-48 EL). */
const eraseLine = '\r\u001b[K';

/** The line of a wait, drawn again each second until the wait ends. */
function drawWait(stream: NodeJS.WriteStream) {
  let line = '';
  const ticker = createTicker((wait) => {
    line = `${eraseLine}${printableLine(waitLine(wait, stream.columns - 1))}`;
    stream.write(line);
  });
  return {
    show: ticker.start,
    clear: (): void => {
      if (ticker.isRunning()) stream.write(eraseLine);
      ticker.end();
    },
    /** Writes text above the line. */
    above: (text: string): void => {
      stream.write(ticker.isRunning() ? `${eraseLine}${text}${line}` : text);
    },
  };
}

/** A lane as a listr2 task, with the functions that engine events call. */
function drawLane({key, title}: Lane) {
  let end: (outcomes: readonly Outcome[]) => void = () => undefined;
  const ended = new Promise<readonly Outcome[]>((resolve) => (end = resolve));
  let drawn: {output: string} | undefined;
  const ticker = createTicker((wait) => {
    if (drawn) drawn.output = `waiting: ${printableLine(wait.what)} ${waitDuration(wait)}`;
  });
  return {
    key,
    title: printableLine(title),
    show(line: string): void {
      ticker.end();
      if (drawn) drawn.output = line;
    },
    wait: (wait: Wait): void => {
      ticker.start(wait);
    },
    finish(outcomes: readonly Outcome[]): void {
      ticker.end();
      end(outcomes);
    },
    task: async (_context: unknown, task: {output: string}): Promise<void> => {
      drawn = task;
      const error = (await ended).find((outcome) => outcome.error)?.error;
      if (error) throw new Error(printableLine(error.message));
    },
  };
}

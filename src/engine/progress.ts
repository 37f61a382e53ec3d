import type {Group, Outcome, Warning} from './operation.js';

/** What the engine tells whoever draws progress. Drawing goes to standard error and never decides anything. */
export type ProgressEvent =
  | {readonly type: 'gathering'; readonly title: string}
  /** Shown before a question is asked: what is about to be done. */
  | {readonly type: 'planned'; readonly groups: readonly Group[]}
  | {readonly type: 'group-started'; readonly group: Group}
  | {readonly type: 'lane-started'; readonly lane: string}
  /** A line of news within a lane: what it does now, or what a tool said. */
  | {readonly type: 'lane-line'; readonly lane: string; readonly line: string}
  | {readonly type: 'lane-ended'; readonly lane: string; readonly outcomes: readonly Outcome[]}
  | {readonly type: 'group-ended'}
  | {readonly type: 'note'; readonly message: string}
  | {readonly type: 'warning'; readonly warning: Warning};

/** Receives progress. */
export type Reporter = (event: ProgressEvent) => void;

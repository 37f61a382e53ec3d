/** Kills or interrupts a run at a chosen point. */
import type {ChildProcess} from 'node:child_process';
import {watch} from 'node:fs';

/** When to strike: after so many milliseconds, or after so many changes in a folder. */
export type Moment = {readonly afterMs: number} | {readonly afterChanges: number; readonly folder: string};

/** Sends a signal to the program itself, not to its children, at a moment; nothing when it has ended before. */
export function strike(child: ChildProcess, signal: NodeJS.Signals, moment: Moment): void {
  if ('afterMs' in moment) {
    const timer = setTimeout(() => child.kill(signal), moment.afterMs);
    child.once('exit', () => {
      clearTimeout(timer);
    });
    return;
  }
  let left = moment.afterChanges;
  const watcher = watch(moment.folder, () => {
    left -= 1;
    if (left === 0) child.kill(signal);
  });
  child.once('exit', () => {
    watcher.close();
  });
}

/** Whether any process of the child's group runs still: its kubectl, its istioctl. */
export function isGroupAlive(pid: number | undefined): boolean {
  try {
    process.kill(-Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends what a SIGKILL has orphaned. */
export function endGroup(pid: number | undefined): void {
  if (isGroupAlive(pid)) process.kill(-Number(pid), 'SIGKILL');
}

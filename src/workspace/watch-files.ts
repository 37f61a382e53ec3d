import {watch, type FSWatcher} from 'node:fs';
import {join} from 'node:path';
import {isMissing} from './fs-errors.js';

/** Files that mean something here. Others are no news: the log of the very run that watches may lie beside them. */
const meaningful = /\.(?:pem|ya?ml|jsonl)$/;

/** Tells of changes in directories, until it is closed. */
export interface FileWatch {
  /** Whether every directory is watched; the system bounds how many can be (inotify(7), `max_user_watches`). */
  readonly isWhole: boolean;
  close(): void;
}

/**
 * Watches the top of a work directory and some of its directories, which may come and go. `changed` is called for each
 * event, often several times for one change.
 */
export function watchFiles(root: string, directories: readonly string[], changed: () => void): FileWatch {
  const watchers = new Map<string, FSWatcher>();
  const failed = new Set<string>();
  const leave = (directory: string): void => {
    watchers.get(directory)?.close();
    watchers.delete(directory);
  };
  const enter = (directory: string): void => {
    leave(directory);
    failed.delete(directory);
    try {
      const watcher = watch(join(root, directory), {persistent: false}, (_, name) => {
        onEvent(directory, name);
      });
      watcher.on('error', () => {
        failed.add(directory);
        leave(directory);
      });
      watchers.set(directory, watcher);
    } catch (thrown) {
      // A directory that comes later is seen at the top.
      if (directory === '.' || !isMissing(thrown)) failed.add(directory);
    }
  };
  const onEvent = (directory: string, name: string | null): void => {
    if (directory === '.' && name !== null && directories.includes(name)) {
      // Another directory may have this name now.
      enter(name);
      changed();
    } else if (name === null || meaningful.test(name)) changed();
  };
  for (const directory of new Set(['.', ...directories])) enter(directory);
  return {
    get isWhole() {
      return failed.size === 0;
    },
    close() {
      for (const directory of [...watchers.keys()]) leave(directory);
    },
  };
}

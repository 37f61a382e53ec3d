/** Running processes and how they descend from each other. */

/** A running process. A zombie is not running. */
export interface ProcessEntry {
  readonly pid: number;
  /** The process ID of its parent; 1 (or that of a subreaper, prctl(2)) after the parent has exited. */
  readonly parent: number;
  /** Differs between two processes that had the same ID one after the other; its format depends on the system. */
  readonly started: string;
}

/** The descendants of these processes: children, their children, and so on, without the processes themselves. */
export function descendantsOf(roots: Iterable<number>, all: readonly ProcessEntry[]): readonly ProcessEntry[] {
  const known = new Set(roots);
  const found: ProcessEntry[] = [];
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const entry of all) {
      if (known.has(entry.pid) || !known.has(entry.parent)) continue;
      known.add(entry.pid);
      found.push(entry);
    }
  }
  return found;
}

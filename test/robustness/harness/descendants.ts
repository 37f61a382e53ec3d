/** Follows every process of a run, by process ID: those of other sessions and process groups, too. Linux only. */
import {readFileSync} from 'node:fs';
import {vi} from 'vitest';
import {descendantsOf, type ProcessEntry} from '../../../src/domain/process-tree.js';
import {readProcess, readProcesses} from '../../../src/workspace/processes.js';

/** A process of a run. */
export interface SeenProcess extends ProcessEntry {
  readonly commandLine: string;
}

/** Collects the descendants of a run for as long as it runs. */
export class Descendants {
  private readonly seen = new Map<string, SeenProcess>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly root: number) {
    this.timer = setInterval(() => this.collect(), 20);
  }

  /** Reads the processes once more, and returns all so far: those that have exited, too. */
  collect(): readonly SeenProcess[] {
    const all = readProcesses();
    const own = all.filter(({pid}) => pid === this.root && pid !== process.pid);
    for (const entry of [...own, ...descendantsOf([this.root], all)]) {
      const key = `${String(entry.pid)} ${entry.started}`;
      // A child is a copy of its parent until it executes its own program. A process that has ended, and whose parent has not
      // noticed yet, has no command line any more.
      const now = commandLineOf(entry.pid);
      this.seen.set(key, {...entry, commandLine: now === '' ? (this.seen.get(key)?.commandLine ?? '') : now});
    }
    return [...this.seen.values()];
  }

  /** Waits until the run has this many processes whose command line matches. */
  async waitFor(pattern: RegExp, count = 1): Promise<readonly SeenProcess[]> {
    return vi.waitFor(
      () => {
        const found = this.collect().filter(({commandLine}) => pattern.test(commandLine));
        if (found.length < count)
          throw new Error(`${String(found.length)} of ${String(count)} match ${String(pattern)}`);
        return found;
      },
      {timeout: 60_000, interval: 20},
    );
  }

  /** Those that still run. */
  running(): readonly string[] {
    return [...this.seen.values()]
      .filter(({pid, started}) => readProcess(pid)?.started === started)
      .map(({pid, commandLine}) => `${String(pid)} ${commandLine}`);
  }

  /** Waits until none runs any more; throws with those that do. */
  async waitUntilGone(): Promise<void> {
    await vi.waitFor(
      () => {
        const left = this.running();
        if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
      },
      {timeout: 30_000, interval: 20},
    );
  }

  /** Stops following, and ends what a failed test has left. */
  dispose(): void {
    clearInterval(this.timer);
    for (const line of this.running()) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  }
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')
      .replaceAll('\0', ' ')
      .trim();
  } catch {
    return '';
  }
}

import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {PassThrough} from 'node:stream';
import {afterEach, describe, expect, it} from 'vitest';
import {sendSignal} from '../../src/tools/end-tree.js';
import {type Processes, createProcesses} from '../../src/tools/processes.js';
import {runPs} from '../../src/tools/runner.js';
import {supervise} from '../../src/tools/supervise.js';
import {readProcess, readProcesses} from '../../src/workspace/processes.js';

const real = createProcesses({readProcess, readProcesses}, runPs);
const started: ChildProcess[] = [];
/** Children of `started`. */
const orphans: number[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const pid of orphans.splice(0)) sendSignal(pid, 'SIGKILL');
});

/** A shell with a child; returns both process IDs. */
async function tree(setup = ''): Promise<{readonly child: ChildProcess; readonly pid: number; readonly below: number}> {
  const script = `( ${setup} echo ready; exec sleep 300 ) & wait`;
  const child = spawn('sh', ['-c', script], {stdio: ['ignore', 'pipe', 'ignore']});
  started.push(child);
  await once(child.stdout, 'data');
  const below = readProcesses().find(({parent}) => parent === child.pid)?.pid;
  orphans.push(below!);
  return {child, pid: child.pid!, below: below!};
}

/** Supervises what these chunks report, then closes the pipe. */
async function superviseChunks(chunks: readonly string[], processes: Processes = real): Promise<readonly string[]> {
  const pipe = new PassThrough();
  const removed: string[] = [];
  const removeDirectory = (path: string): Promise<void> => {
    removed.push(path);
    return Promise.resolve();
  };
  const done = supervise({pipe, processes, removeDirectory});
  for (const chunk of chunks) {
    pipe.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  pipe.end();
  await done;
  return removed;
}

const isRunning = (pid: number): boolean => readProcess(pid) !== undefined;

describe('when the pipe is closed', () => {
  it('ends the children with their descendants, then removes the directories', async () => {
    const [first, second] = [await tree(), await tree()];
    const lines = `/tmp/km-1\n+${String(first.pid)}\n+${String(second.pid)}\n/tmp/km 2\n`;
    expect(await superviseChunks(Array.from(lines))).toEqual(['/tmp/km-1', '/tmp/km 2']);
    expect([first.pid, first.below, second.pid, second.below].filter(isRunning)).toEqual([]);
    expect(first.child.signalCode ?? 'SIGTERM').toBe('SIGTERM');
  });

  it('ends a descendant that ignores SIGTERM', async () => {
    const {pid, below} = await tree(`trap '' TERM;`);
    await superviseChunks([`+${String(pid)}\n`]);
    expect([pid, below].filter(isRunning)).toEqual([]);
  });

  it('ends a child that is stopped', async () => {
    const {child, pid, below} = await tree();
    child.kill('SIGSTOP');
    await superviseChunks([`+${String(pid)}\n`]);
    expect([pid, below].filter(isRunning)).toEqual([]);
  });

  it('leaves a child that was withdrawn', async () => {
    const {pid, below} = await tree();
    await superviseChunks([`+${String(pid)}\n-${String(pid)}\n`]);
    expect([pid, below].filter(isRunning)).toEqual([pid, below]);
  });

  it('leaves a process that was given the ID of a child later', async () => {
    const {pid, below} = await tree();
    let reads = 0;
    const find = async (id: number) => {
      const entry = await real.find(id);
      reads += 1;
      return entry && {...entry, started: `${entry.started} ${String(reads)}`};
    };
    await superviseChunks([`+${String(pid)}\n`], {...real, find});
    expect(reads).toBe(2);
    expect([pid, below].filter(isRunning)).toEqual([pid, below]);
  });

  it('leaves a process whose ID is the first half of a line that was cut off', async () => {
    const {pid, below} = await tree();
    await superviseChunks([`+${String(pid)}`]);
    expect([pid, below].filter(isRunning)).toEqual([pid, below]);
  });

  it.each(['+1\n', '+0\n', '+-5\n', '+\n', '+5x\n', '\n', '\u0000\n', '-\n', '+99999999999\n', 'no line'])(
    'signals nothing after %j',
    async (text) => {
      const pids: number[] = [];
      const find = (pid: number) => {
        pids.push(pid);
        return real.find(pid);
      };
      expect(await superviseChunks([text], {...real, find})).toEqual([]);
      expect(pids).toEqual([]);
    },
  );

  it('ends the children also where no list of processes can be read', async () => {
    const {pid} = await tree();
    const none = {list: () => Promise.reject(new Error('no ps')), find: () => Promise.resolve(undefined)};
    await superviseChunks([`+${String(pid)}\n`], none);
    expect(isRunning(pid)).toBe(false);
  });

  it('treats a pipe that breaks like one that is closed', async () => {
    const {pid, below} = await tree();
    const pipe = new PassThrough();
    const done = supervise({pipe, processes: real, removeDirectory: () => Promise.resolve()});
    pipe.write(`+${String(pid)}\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    pipe.destroy(Object.assign(new Error('reset'), {code: 'ECONNRESET'}));
    await done;
    expect([pid, below].filter(isRunning)).toEqual([]);
  });
});

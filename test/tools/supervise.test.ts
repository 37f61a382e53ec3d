import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {PassThrough} from 'node:stream';
import {afterEach, describe, expect, it} from 'vitest';
import {sendSignal} from '../../src/tools/end-tree.js';
import {createProcesses} from '../../src/tools/processes.js';
import {runPs} from '../../src/tools/runner.js';
import {supervise, type SuperviseOptions} from '../../src/tools/supervise.js';
import {processesWith, readProcess, readProcesses} from '../../src/workspace/processes.js';

const real = createProcesses({readProcess, readProcesses}, runPs);
const started: ChildProcess[] = [];
/** Children of `started`. */
const orphans: number[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const pid of orphans.splice(0)) sendSignal(pid, 'SIGKILL');
});

/** A shell with a child; returns both process IDs. */
async function tree(
  setup = '',
  token = '',
): Promise<{readonly child: ChildProcess; readonly pid: number; readonly below: number}> {
  const script = `( ${setup} echo ready; exec sleep 300 ) & wait`;
  const child = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {...process.env, [variable]: token},
  });
  started.push(child);
  await once(child.stdout, 'data');
  const below = readProcesses().find(({parent}) => parent === child.pid)?.pid;
  orphans.push(below!);
  return {child, pid: child.pid!, below: below!};
}

/** The variable with the token of a child. */
const variable = 'TOKEN_OF_CHILD';
const findByToken = (token: string) => processesWith(variable, token);

/** Supervises what these chunks report, then closes the pipe. */
async function superviseChunks(
  chunks: readonly string[],
  options: Partial<SuperviseOptions> = {},
): Promise<readonly string[]> {
  const pipe = new PassThrough();
  const removed: string[] = [];
  const removeDirectory = (path: string): Promise<void> => {
    removed.push(path);
    return Promise.resolve();
  };
  const done = supervise({pipe, processes: real, findByToken, removeDirectory, ...options});
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
    await superviseChunks([`+${String(pid)}\n`], {processes: {...real, find}});
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
      expect(await superviseChunks([text], {processes: {...real, find}})).toEqual([]);
      expect(pids).toEqual([]);
    },
  );

  it('ends the children also where no list of processes can be read', async () => {
    const {pid} = await tree();
    const none = {list: () => Promise.reject(new Error('no ps')), find: () => Promise.resolve(undefined)};
    await superviseChunks([`+${String(pid)}\n`], {processes: none});
    expect(isRunning(pid)).toBe(false);
  });

  it('treats a pipe that breaks like one that is closed', async () => {
    const {pid, below} = await tree();
    const pipe = new PassThrough();
    const done = supervise({pipe, processes: real, findByToken, removeDirectory: () => Promise.resolve()});
    pipe.write(`+${String(pid)}\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    pipe.destroy(Object.assign(new Error('reset'), {code: 'ECONNRESET'}));
    await done;
    expect([pid, below].filter(isRunning)).toEqual([]);
  });
});

describe('an announced child', () => {
  it('is ended with its descendants if it was not added', async () => {
    const {pid, below} = await tree('', 'run-1');
    const other = await tree('', 'run-11');
    await superviseChunks(['?run-1\n']);
    expect([pid, below].filter(isRunning)).toEqual([]);
    expect([other.pid, other.below].filter(isRunning)).toEqual([other.pid, other.below]);
  });

  it('is ended beside one that was added', async () => {
    const [announced, added] = [await tree('', 'run-2'), await tree('', 'run-1')];
    await superviseChunks([`?run-1\n+${String(added.pid)}\n!run-1\n?run-2\n`]);
    expect([announced, added].flatMap(({pid, below}) => [pid, below]).filter(isRunning)).toEqual([]);
  });

  it('is ended once if it was added, and its announcement not withdrawn', async () => {
    const {child, pid, below} = await tree('', 'run-1');
    await superviseChunks([`?run-1\n+${String(pid)}\n`]);
    expect([pid, below].filter(isRunning)).toEqual([]);
    expect(child.signalCode ?? 'SIGTERM').toBe('SIGTERM');
  });

  it('is ended if only its descendants are left', async () => {
    const {child, pid, below} = await tree('', 'run-1');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await superviseChunks(['?run-1\n']);
    expect([pid, below].filter(isRunning)).toEqual([]);
  });

  it('is ended if it appears after the pipe was closed', async () => {
    const late = await tree('', 'run-1');
    let calls = 0;
    const find = (token: string): readonly number[] => ((calls += 1) < 5 ? [] : findByToken(token));
    await superviseChunks(['?run-1\n'], {findByToken: find});
    expect([late.pid, late.below].filter(isRunning)).toEqual([]);
  });

  it('is not waited for without end: the run may have died before it started it', async () => {
    const tokens = new Set<string>();
    const find = (token: string): readonly number[] => {
      tokens.add(token);
      return [];
    };
    expect(await superviseChunks(['?run-1\n/tmp/km-1\n'], {findByToken: find})).toEqual(['/tmp/km-1']);
    expect([...tokens]).toEqual(['run-1']);
  });

  it('is not searched for after its announcement was withdrawn: a daemon that it has started is left', async () => {
    const {child, pid, below} = await tree('', 'run-1');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const tokens: string[] = [];
    const find = (token: string): readonly number[] => {
      tokens.push(token);
      return findByToken(token);
    };
    await superviseChunks([`?run-1\n+${String(pid)}\n!run-1\n-${String(pid)}\n`], {findByToken: find});
    expect(tokens).toEqual([]);
    expect(isRunning(below)).toBe(true);
  });

  const broken = (): never => {
    throw new Error('no /proc');
  };
  it.each([
    ['no environment can be read', undefined],
    ['reading fails', broken],
  ])('is left if %s; others are ended', async (_why, find) => {
    const [announced, added] = [await tree('', 'run-2'), await tree()];
    const lines = `+${String(added.pid)}\n?run-2\n/tmp/km-1\n`;
    expect(await superviseChunks([lines], {findByToken: find})).toEqual(['/tmp/km-1']);
    expect([added.pid, added.below].filter(isRunning)).toEqual([]);
    expect(isRunning(announced.pid)).toBe(true);
  });
});

import {beforeEach, describe, expect, it, vi} from 'vitest';
import {createSupervisor, tokenVariable, type Supervisor, type SupervisorProcess} from '../../src/tools/supervisor.js';

/** Supervisor processes that only record. */
let launched: {readonly lines: string[]; state: 'running' | 'closed' | 'killed'; exit: () => void}[];
let supervisor: Supervisor;

const child = (pid?: number) => ({pid, kill: vi.fn()});

beforeEach(() => {
  launched = [];
  supervisor = createSupervisor(() => {
    let exit = (): void => undefined;
    const exited = new Promise<void>((resolve) => (exit = resolve));
    const record: (typeof launched)[number] = {lines: [], state: 'running', exit: () => exit()};
    launched.push(record);
    const end = (state: 'closed' | 'killed') => () => {
      record.state = state;
      exit();
    };
    const made: SupervisorProcess = {
      write: (line) => record.lines.push(line),
      closePipe: end('closed'),
      kill: end('killed'),
      exited,
    };
    return Promise.resolve(made);
  });
});

describe('the supervisor of a run', () => {
  it('is started once, with the first child, and is given the directories before it', async () => {
    supervisor.addDirectory('/tmp/km-1');
    expect(launched).toEqual([]);
    await Promise.all([supervisor.start(), supervisor.start()]);
    const withdraw = supervisor.add(child(11));
    supervisor.add(child(12));
    withdraw();
    expect(launched.map(({lines}) => lines)).toEqual([['/tmp/km-1', '+11', '+12', '-11']]);
    await supervisor.close();
  });

  it('is killed at the end if no child is left, however late it is', async () => {
    await supervisor.start();
    supervisor.add(child(11))();
    await supervisor.close();
    expect(launched[0]?.state).toBe('killed');
  });

  it('ends the children that are left', async () => {
    await supervisor.start();
    const withdraw = supervisor.add(child(11));
    await supervisor.close();
    expect(launched[0]?.state).toBe('closed');
    withdraw();
  });

  it('is replaced with the next child after it was killed, and is given all children', async () => {
    await supervisor.start();
    const withdraw = supervisor.add(child(11));
    launched[0]?.exit();
    await new Promise((resolve) => setImmediate(resolve));
    await supervisor.start();
    withdraw();
    expect(launched[1]?.lines).toEqual(['+11', '-11']);
    await supervisor.close();
  });

  it('is not given a child that could not be started', async () => {
    await supervisor.start();
    supervisor.add(child())();
    expect(launched[0]?.lines).toEqual([]);
    await supervisor.close();
  });

  it('is given the token of each announced child, and its withdrawal', async () => {
    await supervisor.start();
    const announcements = [supervisor.announce(), supervisor.announce()];
    const tokens = announcements.map(({variables}) => variables[tokenVariable]);
    for (const {withdraw} of announcements) withdraw();
    expect(tokens.filter((token) => /^[\w-]{36,}$/.test(token!))).toHaveLength(2);
    expect(tokens[0]).not.toBe(tokens[1]);
    expect(launched[0]?.lines).toEqual([`?${tokens[0]!}`, `?${tokens[1]!}`, `!${tokens[0]!}`, `!${tokens[1]!}`]);
    await supervisor.close();
  });

  it('is given no token before it runs, nor is a child', () => {
    const {variables, withdraw} = supervisor.announce();
    withdraw();
    expect([variables, launched]).toEqual([{}, []]);
  });
});

/** Runs the `exit` listeners that were added. */
function exitListeners(before: readonly unknown[]): readonly (() => void)[] {
  return process.listeners('exit').filter((listener) => !before.includes(listener)) as (() => void)[];
}

describe('when this process exits', () => {
  it('leaves children to the supervisor, which also ends their descendants', async () => {
    const before = process.listeners('exit');
    await supervisor.start();
    const one = child(11);
    const withdraw = supervisor.add(one);
    for (const listener of exitListeners(before)) listener();
    expect(one.kill).not.toHaveBeenCalled();
    withdraw();
  });

  it('kills children without a supervisor, with one listener', async () => {
    const before = process.listeners('exit');
    const alone = createSupervisor(undefined);
    await alone.start();
    const children = [child(11), child(12)];
    const withdrawals = children.map((each) => alone.add(each));
    const listeners = exitListeners(before);
    expect(listeners).toHaveLength(1);
    listeners[0]?.();
    for (const each of children) expect(each.kill).toHaveBeenCalledWith('SIGKILL');
    for (const withdraw of withdrawals) withdraw();
    expect(exitListeners(before)).toEqual([]);
  });
});

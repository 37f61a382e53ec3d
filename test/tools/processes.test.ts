import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {describe, expect, it} from 'vitest';
import {createProcesses} from '../../src/tools/processes.js';
import {runPs} from '../../src/tools/runner.js';
import {processesWith, readProcess, readProcesses} from '../../src/workspace/processes.js';

const macOutput = `    1     0 Ss   Mon Nov 23 08:00:01 2026    
  501     1 S+   Sun Nov 29 12:13:55 2026    
  502   501 Z    Sun Nov 29 12:13:56 2026    
ps: a line of another kind
`;

describe('without /proc', () => {
  it("reads ps's columns, without zombies", async () => {
    const calls: (readonly string[])[] = [];
    const processes = createProcesses(undefined, (args) => {
      calls.push(args);
      return Promise.resolve(macOutput);
    });
    expect(await processes.list()).toEqual([
      {pid: 1, parent: 0, started: 'Mon Nov 23 08:00:01 2026'},
      {pid: 501, parent: 1, started: 'Sun Nov 29 12:13:55 2026'},
    ]);
    await processes.find(501);
    expect(calls.map((args) => args.slice(0, 2))).toEqual([
      ['-A', '-o'],
      ['-p', '501'],
    ]);
  });

  it('finds the same processes as /proc', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const pid = child.pid!;
    const processes = createProcesses(undefined, runPs);
    expect(await processes.find(pid)).toMatchObject({pid, parent: process.pid});
    expect((await processes.list()).find((each) => each.pid === pid)).toEqual(await processes.find(pid));
    child.kill();
    await once(child, 'exit');
    expect(await processes.find(pid)).toBeUndefined();
  });
});

describe('with /proc', () => {
  it('finds a running process with its parent, and no zombie', async () => {
    const processes = createProcesses({readProcess, readProcesses}, runPs);
    // The shell has become another program, which never waits for its child, before the child exits.
    const shell = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], {stdio: ['ignore', 'pipe', 'ignore']});
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    const zombie = Number(line.toString());
    while (readProcess(zombie)) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(process.kill(zombie, 0)).toBe(true);
    const all = await processes.list();
    expect(all.find(({pid}) => pid === shell.pid)).toMatchObject({parent: process.pid});
    expect(all.find(({pid}) => pid === zombie)).toBeUndefined();
    expect(await processes.find(shell.pid!)).toEqual(all.find(({pid}) => pid === shell.pid));
    shell.kill();
  });

  it('reads one list for all calls of one turn, and another for the next', async () => {
    let reads = 0;
    const proc = {
      readProcess,
      readProcesses() {
        reads += 1;
        return [];
      },
    };
    const processes = createProcesses(proc, runPs);
    await Promise.all([processes.list(), processes.list(), processes.list()]);
    expect(reads).toBe(1);
    await processes.list();
    expect(reads).toBe(2);
  });

  it('finds processes by their environment, and none that is older than this one', async () => {
    const child = spawn('sleep', ['60'], {env: {...process.env, EMPTY: '', NAMED: 'value'}});
    await once(child, 'spawn');
    expect(processesWith('NAMED', 'value')).toEqual([child.pid]);
    expect(processesWith('NAMED', 'val')).toEqual([]);
    expect(processesWith('AMED', 'value')).toEqual([]);
    const find = `import {processesWith} from ${JSON.stringify(new URL('../../src/workspace/processes.ts', import.meta.url).href)};
console.log(JSON.stringify(processesWith('NAMED', 'value')));`;
    const later = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', find], {
      encoding: 'utf8',
    });
    expect(later.stdout).toBe('[]\n');
    child.kill();
    await once(child, 'exit');
    expect(processesWith('NAMED', 'value')).toEqual([]);
  });
});

/** Nothing the harness starts outlives it, however it ends. */
import {existsSync, readFileSync} from 'node:fs';
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {HarnessError, Sandbox, eventually, freePorts, run} from './harness/processes.js';

const processes = fileURLToPath(new URL('harness/processes.ts', import.meta.url));

describe('a sandbox', () => {
  it('keeps a log of each process, and stops them all when it is closed', async () => {
    const sandbox = new Sandbox();
    const daemon = sandbox.start({name: 'talker', command: 'sh', args: ['-c', 'echo here; sleep 600']});
    await eventually('its word', () => readFileSync(daemon.log, 'utf8').includes('here') || undefined);
    // For a moment the shell's child still has the shell's own name.
    await expect.poll(async () => (await sandbox.leftovers()).map(({pid}) => pid)).toEqual([daemon.pid]);
    await sandbox.close();
    expect(daemon.running()).toBe(false);
    expect(existsSync(sandbox.dir)).toBe(false);
  });

  it('kills what ignores SIGTERM', async () => {
    const sandbox = new Sandbox();
    const daemon = sandbox.start({
      name: 'stubborn',
      command: 'sh',
      args: ['-c', "trap '' TERM; echo on; while :; do sleep 1; done"],
    });
    await eventually('the trap', () => readFileSync(daemon.log, 'utf8').includes('on') || undefined);
    await daemon.stop(200);
    expect((await daemon.ended).signal).toBe('SIGKILL');
    await sandbox.close();
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('is cleared by its reaper when its owner dies of %s', async (signal) => {
    const script = `
      import(${JSON.stringify(processes)}).then(({Sandbox}) => {
        const sandbox = new Sandbox();
        const daemon = sandbox.start({name: 'orphan', command: 'sleep', args: ['600']});
        console.log(JSON.stringify({dir: sandbox.dir, pid: daemon.pid}));
        setInterval(() => {}, 1000);
      });`;
    const owner = spawn(process.execPath, ['--import', 'tsx', '-e', script], {stdio: ['ignore', 'pipe', 'inherit']});
    const output = await new Promise<string>((resolve) =>
      owner.stdout.once('data', (data: Buffer) => resolve(String(data))),
    );
    const {dir, pid} = JSON.parse(output) as {dir: string; pid: number};
    expect(alive(pid)).toBe(true);
    owner.kill(signal);
    await eventually('the end of the orphan', () => !alive(pid) || undefined, 20_000);
    await eventually('the end of its directory', () => !existsSync(dir) || undefined, 20_000);
  });

  it('says what could not be closed', async () => {
    const sandbox = new Sandbox();
    sandbox.onClose(() => Promise.reject(new Error('stuck')));
    await expect(sandbox.close()).rejects.toThrow(HarnessError);
    expect(existsSync(sandbox.dir)).toBe(false);
  });
});

describe('free ports', () => {
  it('are different, and below those the kernel hands out', async () => {
    const ports = await freePorts(40);
    expect(new Set(ports).size).toBe(40);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });
});

describe('a program that is run', () => {
  it('reports its exit code, its signal, and both streams', async () => {
    expect(await run('sh', ['-c', 'cat; echo bad >&2; exit 3'], {input: 'in'})).toEqual({
      code: 3,
      signal: null,
      stdout: 'in',
      stderr: 'bad\n',
    });
    expect((await run('sh', ['-c', 'kill -9 $$'])).signal).toBe('SIGKILL');
    await expect(run('no-such-program', [])).rejects.toThrow('ENOENT');
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

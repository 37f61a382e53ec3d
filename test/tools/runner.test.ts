import {spawnSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {createRunner as createSupervisedRunner} from '../../src/tools/runner.js';
import {createRunner} from '../helpers/runner.js';

const environment = {PATH: process.env.PATH, KUBECTL_MESH_PASSPHRASE: 'hunter2'};
const runner = (signal = new AbortController().signal) => createRunner({environment, signal});
const sh = (script: string) => ({file: 'sh', args: ['-c', script]});

describe('the runner', () => {
  it('returns a non-zero exit code, and throws errors without the arguments', async () => {
    expect((await runner().run(sh('echo "it broke" >&2; exit 7'))).exitCode).toBe(7);
    const error = (await runner()
      .run({...sh('sleep 60 # argument-marker'), timeoutMs: 50})
      .catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({code: 'TIMEOUT'});
    expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('argument-marker');
  });

  it('reports a missing program', async () => {
    await expect(runner().run({file: 'no-such-program-here', args: []})).rejects.toMatchObject({code: 'TOOL_MISSING'});
    await expect(runner().start({file: 'no-such-program-here', args: [], stdin: 'none'})).rejects.toMatchObject({
      code: 'TOOL_MISSING',
    });
  });

  it("keeps Vault's tokens from tools, and hands them to programs that the user wrote down", async () => {
    const tokens = {VAULT_TOKEN: 'vault-1', VAULT_SECRET_ID: 'vault-2', BAO_TOKEN: 'vault-3', BAO_SECRET_ID: 'vault-4'};
    const {signal} = new AbortController();
    const own = createRunner({environment: {...environment, ...tokens, VAULT_ADDR: 'https://vault'}, signal});
    const {stdout} = await own.run({file: 'env', args: []});
    expect(stdout).toContain('VAULT_ADDR=');
    expect(stdout).not.toMatch(/vault-\d/);
    const requested = await own.runSecret('env');
    expect(requested.reveal()).toContain('vault-1');
    const signed = await own.exchange({file: 'env', args: [], cwd: '/', timeoutMs: 10_000, maxBytes: 100_000});
    expect(signed.stdout.toString()).toContain('vault-1');
  });

  it('hides the passphrase from every child', async () => {
    const {stdout} = await runner().run({file: 'env', args: []});
    expect(stdout).toContain('PATH=');
    expect(stdout).not.toContain('hunter2');
    const secret = await runner().runSecret('env');
    expect(secret.reveal()).not.toContain('hunter2');
  });

  it("sanitizes a program's output, and forwards lines as they arrive", async () => {
    const lines: string[] = [];
    const answer = await runner().run({...sh(`printf 'a\\033[31mb\\nlast'`), onLine: (line) => lines.push(line)});
    expect(answer.stdout).toBe('ab\nlast');
    expect(lines).toEqual(['ab', 'last']);
  });

  it('terminates a program after its timeout, and when the run is interrupted', async () => {
    await expect(runner().run({...sh('sleep 60'), timeoutMs: 50})).rejects.toMatchObject({code: 'TIMEOUT'});
    const abort = new AbortController();
    const tool = await runner(abort.signal).start({file: 'sleep', args: ['60'], stdin: 'none'});
    // Not as the lines of a program that ends by itself.
    const lines = expect(tool.lines[Symbol.asyncIterator]().next()).rejects.toMatchObject({code: 'INTERRUPTED'});
    abort.abort();
    expect((await tool.ended).exitCode).not.toBe(0);
    await lines;
  });

  it('keeps a program running after its reader has stopped', async () => {
    const script =
      'echo ready; i=0; while [ $i -lt 3000 ]; do echo "line $i of something long enough to fill a pipe"; i=$((i+1)); done; exit 5';
    const tool = await runner().start({file: 'sh', args: ['-c', script], stdin: 'none'});
    for await (const line of tool.lines) if (line === 'ready') break;
    expect((await tool.ended).exitCode).toBe(5);
  });

  it('registers no signal handlers', async () => {
    const before = process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
    const tool = await runner().start({file: 'sleep', args: ['60'], stdin: 'none'});
    expect(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')).toBe(before);
    await tool.stop();
  });

  describe('exchange', () => {
    const trade = (script: string, more: {input?: Uint8Array; timeoutMs?: number; maxBytes?: number} = {}) =>
      runner().exchange({...sh(script), cwd: '/', timeoutMs: 30_000, maxBytes: 1_000_000, ...more});

    it('passes all bytes in both directions, including trailing line feeds', async () => {
      const input = Buffer.from(Array.from({length: 300_000}, (_, at) => (at * 7) % 256).concat(10, 10));
      const {stdout, exitCode} = await trade('cat', {input});
      expect(exitCode).toBe(0);
      expect(stdout.equals(input)).toBe(true);
    });

    it('accepts a program that does not read its input', async () => {
      const {stdout, exitCode} = await trade('exec 0<&-; echo done; exit 3', {input: Buffer.alloc(2_000_000)});
      expect([stdout.toString(), exitCode]).toEqual(['done\n', 3]);
    });

    it('terminates a program that prints too much, or takes too long', async () => {
      const answer = await trade('yes', {maxBytes: 1000});
      expect([answer.tooLong, answer.stdout.length]).toEqual([true, 1000]);
      await expect(trade('exec sleep 60', {timeoutMs: 50})).rejects.toMatchObject({code: 'TIMEOUT'});
    });

    it('returns standard error without control characters, and forwards its chunks', async () => {
      const pieces: string[] = [];
      const {stderr} = await runner().exchange({
        ...sh(`printf 'PIN\\033[31m:' >&2`),
        ...{cwd: '/', timeoutMs: 30_000, maxBytes: 10, onErrorText: (text: string) => pieces.push(text)},
      });
      expect(stderr).toBe('PIN:');
      expect(pieces.join('')).toContain('PIN');
    });
  });
});

it('prints no secret with NODE_DEBUG=execa', () => {
  const module = new URL('../helpers/runner.ts', import.meta.url).href;
  const script = `const {createRunner} = await import(${JSON.stringify(module)});
const runner = createRunner({environment: process.env, signal: new AbortController().signal});
const secret = await runner.runSecret('printf "%s%s" hun ter2');
await runner.exchange({file: 'cat', args: [], input: Buffer.from(secret.reveal()), cwd: '/', timeoutMs: 9000, maxBytes: 100});
console.log('ran', secret.reveal().length);`;
  const ran = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: {...process.env, NODE_DEBUG: 'execa'},
  });
  expect(ran.stdout).toContain('ran 7');
  expect(ran.stdout + ran.stderr).not.toContain('hunter2');
});

describe('the supervisor', () => {
  /** A runner, and the calls to its supervisor. */
  function recorded() {
    const calls: string[] = [];
    const processes = {list: () => Promise.resolve([]), find: () => Promise.resolve(undefined)};
    const supervisor = {
      start: () => Promise.resolve(void calls.push('start')),
      announce() {
        calls.push('announce');
        return {variables: {TOKEN: 'token-1'}, withdraw: () => void calls.push('withdraw announcement')};
      },
      add({pid}: {readonly pid?: number | undefined}) {
        calls.push(pid === undefined ? 'add nothing' : 'add');
        return () => void calls.push('withdraw');
      },
      addDirectory: () => undefined,
      close: () => Promise.resolve(),
    };
    const {signal} = new AbortController();
    return {calls, own: createSupervisedRunner({environment, signal, processes, supervisor})};
  }

  const announced = ['announce', 'add', 'withdraw announcement', 'withdraw'];

  it.each([undefined, 30_001])('is started before a program with the timeout %s', async (timeoutMs) => {
    const {calls, own} = recorded();
    await own.run({file: 'true', args: [], ...(timeoutMs !== undefined && {timeoutMs})});
    expect(calls).toEqual(['start', ...announced]);
  });

  it('is given a program with a short timeout, but not started for it', async () => {
    const {calls, own} = recorded();
    await own.run({file: 'true', args: [], timeoutMs: 30_000});
    expect(calls).toEqual(announced);
  });

  it('has every program announced before it is started, which gets the token', async () => {
    const {calls, own} = recorded();
    const program = {file: 'sh', args: ['-c', 'echo $TOKEN']};
    const started = await own.start({...program, stdin: 'none'});
    const lines: string[] = [];
    for await (const line of started.lines) lines.push(line);
    await started.ended;
    const outputs = [
      (await own.run({...program, environment: {LANG: 'C'}})).stdout,
      (await own.runSecret(program.args[1]!)).reveal(),
      (await own.exchange({...program, cwd: '/', timeoutMs: 60_000, maxBytes: 100})).stdout.toString().trim(),
      ...lines,
    ];
    expect(outputs).toEqual(Array(4).fill('token-1'));
    expect(calls).toEqual(
      Array(4)
        .fill(['start', ...announced])
        .flat(),
    );
  });

  it('has the announcement withdrawn of a program that could not be started', async () => {
    const {calls, own} = recorded();
    await expect(own.run({file: 'no-such-program-here', args: []})).rejects.toMatchObject({code: 'TOOL_MISSING'});
    expect(calls).toContain('withdraw announcement');
    expect(calls).not.toContain('add');
  });
});

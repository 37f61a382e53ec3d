import {existsSync, lstatSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createIstioctl, type Istioctl, type IstioctlOptions} from '../../src/tools/istioctl.js';
import {createPrivateFile} from '../../src/workspace/temporary.js';
import {createRunner} from '../helpers/runner.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';

let bin: string;
let fake: FakeIstioctl;

beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'fi-'));
  fake = await startFakeIstioctl(bin);
});

afterEach(async () => {
  await fake.stop();
  await rm(bin, {recursive: true, force: true});
});

function istioctl(
  options: Partial<Pick<IstioctlOptions, 'kubeconfig' | 'impersonating' | 'privateFile'>> & {
    readonly path?: string;
    readonly signal?: AbortSignal;
  } = {},
): Istioctl {
  const environment = {
    ...process.env,
    PATH: options.path ?? `${bin}${delimiter}${process.env.PATH ?? ''}`,
    KUBECTL_MESH_PASSPHRASE: 'secret',
  };
  const runner = createRunner({environment, signal: options.signal ?? new AbortController().signal});
  return createIstioctl({
    runner,
    kubeconfig: options.kubeconfig,
    impersonating: options.impersonating ?? false,
    privateFile: options.privateFile ?? createPrivateFile,
  });
}

const run = {context: 'kind-a', args: ['install', '-y'], document: 'kind: IstioOperator\n', timeoutMs: 20_000};

describe('version', () => {
  it.each(['1.31.0', '1.6.14', 'unknown'])('reads %s', async (version) => {
    fake.version = {version};
    expect(await istioctl().version()).toBe(version);
  });

  it('is read once, without contacting a cluster', async () => {
    const tool = istioctl();
    await Promise.all([tool.version(), tool.version()]);
    expect(fake.versionCalls.map(({args}) => args)).toEqual([['version', '-o', 'json', '--remote=false']]);
  });

  it.each([
    ['text', {raw: 'client version: 1.5.0\n'}],
    ['nothing', {raw: ''}],
    ['other JSON', {raw: '{"version": "1.31.0"}'}],
    ['JSON that is no object', {raw: '[]'}],
    ['an empty version', {raw: '{"clientVersion": {"version": ""}}'}],
    ['a bad exit', {raw: '{"clientVersion": {"version": "1.31.0"}}', exitCode: 1}],
  ])('that prints %s is TOOL_OUTPUT', async (_what, version) => {
    fake.version = version;
    await expect(istioctl().version()).rejects.toMatchObject({code: 'TOOL_OUTPUT'});
  });

  it('throws TOOL_MISSING with a hint if istioctl is missing', async () => {
    const error = istioctl({path: '/nonexistent'}).version();
    await expect(error).rejects.toMatchObject({code: 'TOOL_MISSING', hints: [expect.stringContaining('istioctl')]});
  });

  it('throws TOOL_MISSING if istioctl cannot be executed', async () => {
    const other = await mkdtemp(join(tmpdir(), 'fi-'));
    await writeFile(join(other, 'istioctl'), 'not a program', {mode: 0o644});
    await expect(istioctl({path: other}).version()).rejects.toMatchObject({code: 'TOOL_MISSING'});
    await rm(other, {recursive: true});
  });
});

describe('run', () => {
  it('adds the file, the context and the kubeconfig, and returns the output', async () => {
    fake.answer = () => ({stdout: '\u001b[32mdone\u001b[0m\n', stderr: 'and a warning\n'});
    const lines: string[] = [];
    const result = await istioctl({kubeconfig: '/k'}).run({...run, onLine: (line) => lines.push(line)});
    const file = expect.stringMatching(/\/install\.yaml$/) as string;
    expect(fake.calls).toMatchObject([
      {
        args: ['install', '-y', '-f', file, '--context', 'kind-a', '--kubeconfig', '/k'],
        content: 'kind: IstioOperator\n',
      },
    ]);
    expect(result.exitCode).toBe(0);
    expect(result.output).toContain('done');
    expect(result.output).not.toContain('\u001b');
    expect(lines.sort()).toEqual(['and a warning', 'done']);
  });

  it('passes a private copy, which it removes', async () => {
    let facts: {readonly mode: number; readonly directory: number} | undefined;
    const pathOf = (args: readonly string[]): string => args[args.indexOf('-f') + 1] ?? '';
    fake.answer = ({args}) => {
      const path = pathOf(args);
      facts = {mode: lstatSync(path).mode & 0o777, directory: lstatSync(dirname(path)).mode & 0o777};
      return {exitCode: 1};
    };
    await istioctl().run(run);
    expect(facts).toEqual({mode: 0o600, directory: 0o700});
    expect(existsSync(dirname(pathOf(fake.calls[0]?.args ?? [])))).toBe(false);
  });

  it('quotes a file name with commas and quotes', async () => {
    const path = join(bin, 'a,b "c".yaml');
    const privateFile: IstioctlOptions['privateFile'] = async (_name, text) => {
      await writeFile(path, text);
      return {path, remove: () => rm(path)};
    };
    await istioctl({privateFile}).run(run);
    expect(fake.calls).toMatchObject([{content: 'kind: IstioOperator\n'}]);
  });

  it('returns a non-zero exit code', async () => {
    fake.answer = () => ({exitCode: 1, stderr: 'Error: no\n'});
    expect(await istioctl().run(run)).toEqual({exitCode: 1, output: 'Error: no'});
  });

  it('refuses to run as another user rather than dropping the flag', async () => {
    await expect(istioctl({impersonating: true}).run(run)).rejects.toMatchObject({code: 'UNSUPPORTED_FLAG'});
    expect(fake.calls).toEqual([]);
  });

  it('terminates an istioctl that hangs', async () => {
    fake.answer = () => ({hang: true});
    await expect(istioctl().run({...run, timeoutMs: 700})).rejects.toMatchObject({code: 'TIMEOUT'});
  });

  it('terminates istioctl when the run is interrupted', async () => {
    const controller = new AbortController();
    fake.answer = () => {
      setTimeout(() => {
        controller.abort();
      }, 10);
      return {hang: true};
    };
    await expect(istioctl({signal: controller.signal}).run(run)).rejects.toMatchObject({code: 'INTERRUPTED'});
  });

  it('hides the passphrase from istioctl', async () => {
    await istioctl().run(run);
    expect(fake.calls[0]?.env).not.toContain('KUBECTL_MESH_PASSPHRASE');
  });
});

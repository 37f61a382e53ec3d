/** A fake istioctl for one folder of PATH. What it does is a function of the test; its calls are recorded. */
import {readFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {startFakeProgram, type ProgramAnswer, type ProgramRun} from '../fake-program.js';

/** One run of the fake istioctl. */
export interface IstioctlCall {
  readonly args: readonly string[];
  /** The bytes of the file that `-f` named. */
  readonly content?: string;
  /** Names of the environment variables it was given. */
  readonly env: readonly string[];
}

/** What a run prints, and its exit code. `hang` never ends by itself. */
export interface IstioctlAnswer {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly hang?: boolean;
}

/** A running fake. */
export interface FakeIstioctl {
  /** What `version` says; a string is printed as it is. */
  version: {readonly version: string} | {readonly raw: string; readonly exitCode?: number};
  /** What every other run does. */
  answer: (call: IstioctlCall) => IstioctlAnswer;
  /** Every run but `version`. */
  readonly calls: IstioctlCall[];
  /** Runs of `version`. */
  readonly versionCalls: IstioctlCall[];
  stop(): Promise<void>;
}

/** Writes `istioctl` into a folder and answers it. Ends with `stop()`; the folder stays. */
export async function startFakeIstioctl(bin: string): Promise<FakeIstioctl> {
  const program = await startFakeProgram(bin, 'istioctl', async (run) => respond(fake, run));
  const fake: FakeIstioctl = {
    version: {version: '1.31.0'},
    answer: () => ({stdout: '✔ Istio core installed\n✔ Installation complete\n'}),
    calls: [],
    versionCalls: [],
    stop: () => program.stop(),
  };
  return fake;
}

async function respond(fake: FakeIstioctl, run: ProgramRun): Promise<ProgramAnswer> {
  const {args, env} = run;
  if (args[0] === 'version') {
    fake.versionCalls.push({args, env});
    if ('raw' in fake.version) return {stdout: fake.version.raw, exitCode: fake.version.exitCode ?? 0};
    const clientVersion = {version: fake.version.version, revision: 'x', tag: 'x'};
    return {stdout: JSON.stringify({clientVersion}, null, 2), exitCode: 0};
  }
  const named = args.includes('-f') ? (args[args.indexOf('-f') + 1] ?? '') : undefined;
  // istioctl takes the value of -f as a line of comma-separated values (spf13/pflag, StringSlice).
  if (named?.includes(',') && !named.startsWith('"')) return {exitCode: 64};
  const file = named?.replace(/^"(.*)"$/s, (_all, inner: string) => inner.replaceAll('""', '"'));
  const content = file === undefined ? undefined : await readFile(resolve(run.cwd, file), 'utf8');
  const call = {args, env, ...(content !== undefined && {content})};
  fake.calls.push(call);
  const {hang = false, exitCode = 0, ...output} = fake.answer(call);
  return {...output, ...(!hang && {exitCode})};
}

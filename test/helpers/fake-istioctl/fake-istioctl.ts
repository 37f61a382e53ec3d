/** A fake istioctl for one folder of PATH. What it does is a function of the test; what it was asked is recorded. */
import {chmod, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const program = fileURLToPath(new URL('istioctl.mjs', import.meta.url));

/** One run of the fake istioctl. */
export interface IstioctlCall {
  readonly args: readonly string[];
  /** The bytes of the file that `-f` named. */
  readonly content?: string;
  /** Names of the environment variables it was given. */
  readonly env: readonly string[];
}

/** What a run says and does. `hang` never ends by itself. */
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
  const socket = join(bin, 'i.sock');
  const server = createServer({allowHalfOpen: true}, (connection) => {
    let text = '';
    connection.setEncoding('utf8');
    connection.on('data', (chunk: string) => (text += chunk));
    connection.on('end', () => {
      const call = JSON.parse(text) as IstioctlCall;
      connection.end(JSON.stringify(respond(call)));
    });
  });
  const fake: FakeIstioctl = {
    version: {version: '1.31.0'},
    answer: () => ({stdout: '✔ Istio core installed\n✔ Installation complete\n'}),
    calls: [],
    versionCalls: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
  const respond = (call: IstioctlCall): IstioctlAnswer => {
    if (call.args[0] !== 'version') {
      fake.calls.push(call);
      return fake.answer(call);
    }
    fake.versionCalls.push(call);
    if ('raw' in fake.version) return {stdout: fake.version.raw, exitCode: fake.version.exitCode ?? 0};
    return {stdout: JSON.stringify({clientVersion: {version: fake.version.version, revision: 'x', tag: 'x'}}, null, 2)};
  };
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const executable = join(bin, 'istioctl');
  await writeFile(executable, `#!/bin/sh\nexec "${process.execPath}" "${program}" "${socket}" "$@"\n`);
  await chmod(executable, 0o755);
  return fake;
}

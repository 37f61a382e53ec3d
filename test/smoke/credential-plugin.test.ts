/**
 * Credential plugins with the real kubectl: one call per cluster and command, and plugins that prompt on the terminal.
 * The fake API servers accept only the plugin's token.
 */
import {spawn} from 'node:child_process';
import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {runInTerminal} from '../helpers/pseudo-terminal.js';
import {trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';
import {root} from './program.js';

const names = ['c1', 'c2'];
const program = join(root, 'bin/run.js');
let mesh: TrustMesh;
let home: string;

beforeEach(async () => {
  mesh = await trustMesh(names);
  home = await mkdtemp(join(tmpdir(), 'plugin-'));
});

afterEach(async () => {
  await mesh.stop();
  await rm(home, {recursive: true});
});

/** A kubeconfig whose users all log in by a shell script; `CLUSTER` names the context's cluster in it. */
async function usePlugin(script: string, interactiveMode: string): Promise<NodeJS.ProcessEnv> {
  const plugin = join(home, 'login');
  const calls = join(home, 'calls');
  await writeFile(calls, '');
  const answer = `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$token"`;
  await writeFile(plugin, `#!/bin/sh\necho "$CLUSTER" >> "${calls}"\n${script}\n${answer}\n`);
  await chmod(plugin, 0o755);
  const tls = {key: writePrivateKey(mesh.root.key).reveal(), cert: mesh.root.certificate.pem};
  const urls = await Promise.all(names.map((name) => mesh.cluster(name).listenOnPort(tls)));
  for (const name of names) mesh.cluster(name).token = 'open sesame';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name, at) => ({name, cluster: {server: urls[at], 'insecure-skip-tls-verify': true}})),
    contexts: names.map((name) => ({name: `ctx-${name}`, context: {cluster: name, user: name}})),
    users: names.map((name) => ({
      name,
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: plugin,
          interactiveMode,
          env: [{name: 'CLUSTER', value: name}],
        },
      },
    })),
  };
  const kubeconfig = join(home, 'kubeconfig');
  await writeFile(kubeconfig, JSON.stringify(config));
  return {...process.env, KUBECONFIG: kubeconfig, HOME: home, WORK_DIR: mesh.dir};
}

async function calls(): Promise<readonly string[]> {
  return (await readFile(join(home, 'calls'), 'utf8')).split('\n').filter(Boolean).sort();
}

/** The fake API servers live in this process: a child must not block it. */
async function runMesh(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{code: number | null; text: string}> {
  const child = spawn(process.execPath, [program, ...args], {env, stdio: ['ignore', 'pipe', 'pipe']});
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return {code, text};
}

describe('a credential plugin', () => {
  it('is called once per cluster and command', async () => {
    const env = await usePlugin('token="open sesame"', 'Never');
    const first = await runMesh(['trust', 'push'], env);
    expect(first.code, first.text).toBe(0);
    expect(await calls()).toEqual(['c1', 'c2']);
    const second = await runMesh(['trust', 'diff'], env);
    expect(second.code, second.text).toBe(0);
    expect(await calls()).toEqual(['c1', 'c1', 'c2', 'c2']);
  });

  it('prompts on the terminal, one cluster after the other', async () => {
    const ask = 'printf "password for %s: " "$CLUSTER" >&2; read -r token';
    const env = await usePlugin(ask, 'Always');
    const {screen, code} = await runInTerminal(
      `"${process.execPath}" "${program}" trust push`,
      names.map((name) => ({when: new RegExp(`password for ${name}: `), type: 'open sesame\r'})),
      {cwd: home, env},
    );
    expect(code, screen).toBe(0);
    expect(await calls()).toEqual(['c1', 'c2']);
    for (const name of names) expect(mesh.cluster(name).get('Secret', 'istio-system/cacerts')).toBeDefined();
  });

  it('that fails is quoted in the error, and nothing is written', async () => {
    const env = await usePlugin('echo "token expired: run cloud login" >&2; exit 1', 'Never');
    const {code, text} = await runMesh(['trust', 'push', 'c1', '-o', 'json'], env);
    expect(code).toBe(4);
    expect(text).toContain('UNAUTHORIZED');
    expect(text).toContain('token expired: run cloud login');
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it('that requires a terminal is reported where none is attached', async () => {
    const env = await usePlugin('read -r token', 'Always');
    const {code, text} = await runMesh(['trust', 'push', 'c1'], env);
    expect(code).toBe(4);
    expect(text).toMatch(/standard input is not a terminal/);
  });

  it('whose token is rejected is reported', async () => {
    const env = await usePlugin('token=stale', 'Never');
    const {code, text} = await runMesh(['trust', 'push', 'c1', '-o', 'json'], env);
    expect(code).toBe(4);
    expect(text).toContain('UNAUTHORIZED');
  });
});

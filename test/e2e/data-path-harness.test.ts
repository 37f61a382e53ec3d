/** The wires and pods of a data path, without clusters: who reaches whom, and that nothing is left of them. */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {Fabric} from './harness/data-path/fabric.js';
import {ownNetwork} from './harness/data-path/own-network.js';
import {PodSandbox, type Bind} from './harness/data-path/pod-sandbox.js';
import {requireDataPath} from './harness/data-path/requirements.js';
import {Sandbox, eventually, run} from './harness/processes.js';

/** Imports a module of the harness in a script. */
const load = (name: string): string =>
  `await import(${JSON.stringify(fileURLToPath(new URL(`harness/${name}.ts`, import.meta.url)))})`;
const node = ['--import', 'tsx', '--input-type=module', '-e'];

const clusters = ['near', 'beside', 'far'] as const;
const files: readonly Bind[] = [
  {source: process.execPath, target: '/usr/local/bin/node', kind: 'file'},
  {
    source: fileURLToPath(new URL('harness/data-path/echo.mjs', import.meta.url)),
    target: '/opt/harness/echo.mjs',
    kind: 'file',
  },
];

let sandbox: Sandbox;
const pods = new Map<string, {readonly pod: PodSandbox; readonly address: string}>();

beforeAll(async () => {
  await requireDataPath();
  sandbox = new Sandbox();
  const fabric = await Fabric.create({near: 'network1', beside: 'network1', far: 'network2'});
  for (const name of clusters) {
    const pod = await PodSandbox.create(sandbox, {
      name,
      hostname: name,
      directory: join(sandbox.dir, name),
      binds: files,
    });
    const address = fabric.allocate(name);
    expect(fabric.clusterOf(address)).toBe(name);
    await fabric.attach(name, address, pod.pid);
    pod.start('echo', {command: ['node', '/opt/harness/echo.mjs'], env: {CLUSTER: name}, user: {uid: 1337, gid: 1337}});
    pods.set(name, {pod, address});
  }
});
afterAll(() => sandbox.close());

/** What the pod of one cluster gets from the pod of another; undefined when there is no connection within a second. */
async function ask(from: string, to: string): Promise<string | undefined> {
  const script = `const answer = await fetch(process.argv[1], {signal: AbortSignal.timeout(1000)}); console.log(await answer.text())`;
  const url = `http://${pods.get(to)?.address ?? ''}:5000`;
  const ran = await pods.get(from)?.pod.run({command: ['node', '--input-type=module', '-e', script, url]});
  return ran?.code === 0 ? ran.stdout.trim() : undefined;
}

it('pods of one network reach each other, whatever their cluster; pods of two networks do not', async () => {
  await Promise.all(clusters.map((name) => eventually(`the program in ${name}`, () => ask(name, name))));
  expect(await ask('near', 'beside')).toBe('beside');
  expect(await ask('beside', 'near')).toBe('near');
  expect(await ask('near', 'far')).toBeUndefined();
  expect(await ask('far', 'near')).toBeUndefined();
});

it('a pod sees its own processes only, and cannot write where the machine has its files', async () => {
  const seen = await pods.get('near')?.pod.run({command: ['sh', '-c', 'cat /proc/1/comm; ls /; ls /run']});
  expect(seen?.stdout.split('\n')[0]).toBe('sleep');
  expect(seen?.stdout).not.toContain('home');
  const written = await pods.get('near')?.pod.run({command: ['touch', '/usr/bin/mine']});
  expect(written?.code).not.toBe(0);
});

it('ends with its owner, even when that is killed', async () => {
  const script = `
    const {Sandbox} = ${load('processes')};
    const {Fabric} = ${load('data-path/fabric')};
    const {PodSandbox} = ${load('data-path/pod-sandbox')};
    const sandbox = new Sandbox();
    const fabric = await Fabric.create({near: 'network1'});
    const pod = await PodSandbox.create(sandbox, {name: 'pod', hostname: 'pod', directory: sandbox.dir + '/pod', binds: []});
    await fabric.attach('near', fabric.allocate('near'), pod.pid);
    const inside = pod.start('inside', {command: ['sleep', '600']});
    console.log(JSON.stringify({dir: sandbox.dir, pids: [pod.pid, inside.pid]}));
    setInterval(() => {}, 1000);`;
  const [command, ...namespaces] = ownNetwork;
  const owner = spawn(command, [...namespaces, process.execPath, ...node, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text = await new Promise<string>((resolve) =>
    owner.stdout.once('data', (data: Buffer) => {
      resolve(String(data));
    }),
  );
  const {dir, pids} = JSON.parse(text) as {dir: string; pids: number[]};
  const alive = (): number[] => pids.filter((pid) => existsSync(`/proc/${String(pid)}`));
  expect(alive()).toEqual(pids);
  owner.kill('SIGKILL');
  await eventually('the end of the pod', () => alive().length === 0 || undefined, 20_000);
  await eventually('the end of its directory', () => !existsSync(dir) || undefined, 20_000);
});

it('says in one line what is missing', async () => {
  const script = `
    const {requireDataPath} = ${load('data-path/requirements')};
    await requireDataPath().catch((error) => console.log(error.message));`;
  const {stdout} = await run(process.execPath, [...node, script], {env: {HOME: '/nonexistent', PATH: '/nonexistent'}});
  expect(stdout.trim().split('\n')).toHaveLength(1);
  for (const word of ['iproute2', 'iptables', 'util-linux', 'a network namespace']) expect(stdout).toContain(word);
});

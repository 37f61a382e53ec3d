/** A place for one run: a work directory, a home, a folder for temporary files, a folder of PATH, all in one directory. */
import {chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {afterAll} from 'vitest';
import {runBuilt, type Run, type RunOptions} from './run.js';

/** Opens the root key of {@link meshBox}. */
export const passphrase = 'correct-horse-battery-staple-7731';

/** Clusters that {@link meshBox} declares, each with context `ctx-NAME`. */
export const clusterNames = ['cluster1', 'cluster2', 'cluster3'] as const;

/** A sandbox directory. */
export interface Box {
  /** Holds everything below. */
  readonly dir: string;
  readonly work: string;
  /** First in PATH. */
  readonly bin: string;
  /** Temporary files of runs: must be empty after each. */
  readonly tmp: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the program in the work directory. */
  run(args: readonly string[], options?: Partial<RunOptions>): Promise<Run>;
  /** Writes a file below `work`. */
  put(path: string, content: string | Buffer, mode?: number): Promise<void>;
  read(path: string): Promise<string>;
  /** Puts an executable shell script into PATH. */
  tool(name: string, script: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Boxes of this test file: a test that fails does not get to disposing of its own. */
const made = new Set<string>();
afterAll(async () => {
  await Promise.all([...made].map((dir) => rm(dir, {recursive: true, force: true})));
});

/** An empty box. `path`: further folders of PATH, before the system's. */
export async function emptyBox(path: readonly string[] = []): Promise<Box> {
  const dir = await mkdtemp(join(tmpdir(), 'kmf-'));
  made.add(dir);
  const [work, home, tmp, bin] = ['work', 'home', 't', 'bin'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [work, home, tmp, bin]) await mkdir(folder, {mode: 0o700});
  const env = {
    PATH: [bin, ...path, process.env.PATH ?? ''].join(delimiter),
    HOME: home,
    TMPDIR: tmp,
    LANG: 'C.UTF-8',
    KUBECTL_MESH_PASSPHRASE: passphrase,
  };
  return {
    dir,
    work,
    bin,
    tmp,
    env,
    run: (args, options = {}) => runBuilt(args, {cwd: work, env, ...options}),
    async put(at, content, mode = 0o600) {
      await mkdir(dirname(join(work, at)), {recursive: true});
      await writeFile(join(work, at), content);
      await chmod(join(work, at), mode);
    },
    read: (at) => readFile(join(work, at), 'utf8'),
    async tool(name, script) {
      await rm(join(bin, name), {force: true});
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, {mode: 0o755});
    },
    dispose: () => rm(dir, {recursive: true, force: true}),
  };
}

let template: Promise<string> | undefined;

/** A box whose work directory has everything that the commands up to `install render` make. */
export async function meshBox(path: readonly string[] = []): Promise<Box> {
  template ??= makeTemplate();
  const box = await emptyBox(path);
  await cp(await template, box.work, {recursive: true, preserveTimestamps: true});
  return box;
}

async function makeTemplate(): Promise<string> {
  const box = await emptyBox();
  const names = clusterNames.map((name) => `${name}=ctx-${name}`);
  for (const args of [
    ['init', ...names, '--mesh-id', 'mesh1', '--network', 'network1'],
    ['certs', 'generate', '--key-algorithm', 'ecdsa-p256'],
    ['install', 'render', '--istio-version', '1.31.0'],
  ]) {
    const run = await box.run(args);
    if (run.code !== 0) throw new Error(`${args.join(' ')}: ${run.stdout}${run.stderr}`);
  }
  return box.work;
}

/** What is at each path below a folder: content of files, target of links, kind of the rest, with modes. */
export async function snapshot(folder: string): Promise<Readonly<Record<string, string>>> {
  const seen: Record<string, string> = {};
  for (const name of (await readdir(folder, {recursive: true, encoding: 'utf8'})).sort()) {
    const path = join(folder, name);
    const facts = await lstat(path);
    const mode = (facts.mode & 0o777).toString(8);
    if (facts.isFile()) seen[name] = `${mode} ${(await readFile(path)).toString('latin1')}`;
    else if (facts.isSymbolicLink()) seen[name] = `-> ${await readlink(path)}`;
    else seen[name] = `${mode} ${facts.isDirectory() ? 'directory' : 'other'}`;
  }
  return seen;
}

/** Several fake clusters behind one fake kubectl, first on PATH. */
import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {FakeCluster} from './fake-cluster.js';

const program = fileURLToPath(new URL('kubectl.mjs', import.meta.url));

/** One run of the fake kubectl. */
export interface KubectlCall {
  readonly args: readonly string[];
  /** Names of the environment variables it was given. */
  readonly env: readonly string[];
  readonly pid: number;
}

/** Fake clusters by context. */
export interface FakeKube {
  /** Holds the fake `kubectl`. */
  readonly bin: string;
  /** PATH with the fake kubectl first: give it to a child, or set it in this process. */
  readonly path: string;
  cluster(context: string): FakeCluster;
  /** Every kubectl process that was started, in order. */
  calls(): Promise<readonly KubectlCall[]>;
  /** Writes the port-forward table; call after changing a cluster's `forwards`. */
  saveForwards(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts fake clusters, one per context. Ends with `stop()`. */
export async function startFakeKube(contexts: readonly string[]): Promise<FakeKube> {
  const bin = await mkdtemp(join(tmpdir(), 'fk-'));
  const control = join(bin, 'control.json');
  const log = join(bin, 'calls.jsonl');
  const clusters = new Map(
    contexts.map((context, at) => [context, new FakeCluster(context, join(bin, `${String(at)}.sock`))]),
  );
  await Promise.all([...clusters.values()].map((cluster) => cluster.listen()));
  const saveForwards = async (): Promise<void> => {
    const table = Object.fromEntries([...clusters].map(([name, {socket, forwards}]) => [name, {socket, forwards}]));
    await writeFile(control, JSON.stringify({contexts: table, log}));
  };
  await saveForwards();
  await writeFile(log, '');
  const kubectl = join(bin, 'kubectl');
  await writeFile(kubectl, `#!/bin/sh\nexec "${process.execPath}" "${program}" "${control}" "$@"\n`);
  await chmod(kubectl, 0o755);
  return {
    bin,
    path: `${bin}${delimiter}${process.env.PATH ?? ''}`,
    cluster(context) {
      const cluster = clusters.get(context);
      if (!cluster) throw new Error(`no fake cluster ${context}`);
      return cluster;
    },
    async calls() {
      const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as KubectlCall);
    },
    saveForwards,
    async stop() {
      await Promise.all([...clusters.values()].map((cluster) => cluster.close()));
      await rm(bin, {recursive: true, force: true});
    },
  };
}

/** Several fake clusters behind one fake kubectl, first on PATH. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {type ProgramRun, startFakeProgram} from '../fake-program.js';
import {FakeCluster} from './fake-cluster.js';
import {answerKubectl} from './kubectl.js';

/** Fake clusters by context. */
export interface FakeKube {
  /** Holds the fake `kubectl`. */
  readonly bin: string;
  /** PATH with the fake kubectl first: give it to a child, or set it in this process. */
  readonly path: string;
  cluster(context: string): FakeCluster;
  /** Every kubectl process that was started, in order. */
  readonly calls: readonly ProgramRun[];
  stop(): Promise<void>;
}

/** Starts fake clusters, one per context. Ends with `stop()`. */
export async function startFakeKube(contexts: readonly string[]): Promise<FakeKube> {
  const bin = await mkdtemp(join(tmpdir(), 'fk-'));
  const clusters = new Map(contexts.map((context) => [context, new FakeCluster(context)]));
  const kubectl = await startFakeProgram(bin, 'kubectl', (run) => answerKubectl(run, clusters));
  return {
    bin,
    path: `${bin}${delimiter}${process.env.PATH ?? ''}`,
    cluster(context) {
      const cluster = clusters.get(context);
      if (!cluster) throw new Error(`no fake cluster ${context}`);
      return cluster;
    },
    calls: kubectl.runs,
    async stop() {
      await kubectl.stop();
      for (const cluster of clusters.values()) cluster.close();
      await rm(bin, {recursive: true, force: true});
    },
  };
}

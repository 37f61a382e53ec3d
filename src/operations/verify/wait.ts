/**
 * Following instead of asking again and again: watches of everything that the selected checks read, opened once for the
 * whole wait, and of the files of the work directory.
 */
import type {Check, Severity} from '../../domain/checks/check.js';
import {readsFiles, type Evidence, type FactKey} from '../../domain/facts/facts.js';
import {leftOutBy, neededFacts} from '../../domain/checks/needs.js';
import type {Limits} from '../../domain/facts/limits.js';
import {isGreen, type Row} from '../../domain/checks/report.js';
import {bundleNamesIn, isWatchable, objectsBehind, type WatchedPlace} from '../../domain/facts/watched.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {Deps} from '../../engine/deps.js';
import type {FileWatch} from '../../workspace/watch-files.js';
import {Bell} from './wait/bell.js';
import {Pauses} from './wait/pause.js';
import {ClusterWatch} from './wait/watch-cluster.js';

/** What is waited for. */
export interface WaitRequest {
  readonly checks: readonly Check[];
  readonly limits: Limits;
  readonly failOn: Severity;
}

/** What was seen when it was looked last. */
export interface Look {
  readonly evidence: Evidence;
  readonly rows: readonly Row[];
}

/** The longest time that a timer takes (Node's documentation, `setTimeout`). Milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/** Follows clusters and files from its first `next()` to `close()`. */
export class Waiter {
  readonly #bell = new Bell();
  readonly #pauses = new Pauses();
  /** By context: two names for one cluster share its watches. */
  readonly #clusters = new Map<string, ClusterWatch>();
  #files: {readonly directories: string; readonly watch: FileWatch} | undefined;

  constructor(
    private readonly deps: Deps,
    private readonly request: WaitRequest,
  ) {}

  /**
   * Resolves when it is worth looking again, at the latest after so many milliseconds. The first time that is as soon as
   * all watches are open: what changed between the last look and then is no event. Throws what the run was aborted with.
   */
  async next(last: Look, atMostMs: number): Promise<void> {
    const {signal} = this.deps;
    const enough = new AbortController();
    const stop = (): void => {
      enough.abort();
    };
    signal.addEventListener('abort', stop, {once: true});
    let timer = setTimeout(stop, Math.min(atMostMs, longestTimerMs));
    try {
      if (signal.aborted) stop();
      await this.#watch(last.evidence);
      await untilAborted(this.#tried(), enough.signal);
      if (this.#mustAsk(last)) {
        clearTimeout(timer);
        timer = setTimeout(stop, Math.min(atMostMs, this.#pauses.next()));
      }
      if (await this.#bell.burst(enough.signal)) this.#pauses.reset();
      signal.throwIfAborted();
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#files?.watch.close();
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.close()));
    this.#clusters.clear();
  }

  /** Watches what the last look saw: mesh.yaml may have changed since. */
  async #watch(evidence: Evidence): Promise<void> {
    this.#watchFiles(evidence.clusters.map(({cluster}) => cluster));
    if (this.request.limits.offline === true) return;
    const wanted = new Map<string, Evidence['clusters'][number]>();
    for (const one of evidence.clusters) if (one.cluster.context !== undefined) wanted.set(one.cluster.context, one);
    for (const [context, cluster] of this.#clusters) {
      if (wanted.has(context)) continue;
      this.#clusters.delete(context);
      await cluster.close();
    }
    for (const [context, one] of wanted) {
      const cluster = this.#clusters.get(context) ?? new ClusterWatch(this.deps, context, this.#bell);
      this.#clusters.set(context, cluster);
      const place = placeOf(evidence, one);
      const facts = [...neededFacts(this.request.checks)];
      cluster.watch(facts.flatMap((key) => objectsBehind(key, this.request.limits, place)));
    }
  }

  #watchFiles(clusters: readonly MeshCluster[]): void {
    const directories = clusters.map(({name}) => clusterLayout(name).directory);
    const names = JSON.stringify(directories);
    if (this.#files?.directories === names) return;
    this.#files?.watch.close();
    const watch = this.deps.workspace.watch(directories, () => {
      this.#bell.ring();
    });
    this.#files = {directories: names, watch};
    this.#bell.ring();
  }

  async #tried(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.tried()));
  }

  /**
   * Whether something that is not well may become so without anybody telling. Which CA an istiod has loaded changes no
   * object: only a new handshake shows it. The same holds for whatever a watch was refused for, and for a request that
   * failed. A cluster that does not answer tells when it does.
   */
  #mustAsk({evidence, rows}: Look): boolean {
    const {checks, failOn} = this.request;
    return rows.some((row) => {
      // A consequence gets well with its cause, which is looked at by itself.
      if (row.impliedBy !== undefined || isGreen([row], failOn)) return false;
      const about = evidence.clusters.filter(({cluster}) => isAbout(row, cluster));
      const answering = about.filter(({cluster}) => this.#of(cluster)?.isSilent !== true);
      if (about.length > 0 && answering.length === 0) return false;
      const needs = checks.find(({id}) => id === row.id)?.needs ?? [];
      return row.result === 'unknown' || needs.some((key) => !this.#isShown(key, evidence, answering));
    });
  }

  /** Whether a change of the fact would ring. */
  #isShown(key: FactKey, evidence: Evidence, clusters: Evidence['clusters']): boolean {
    const {limits} = this.request;
    if (leftOutBy(key, limits) !== undefined) return true;
    if (!isWatchable(key) || (readsFiles(key) && this.#files?.watch.isWhole !== true)) return false;
    return clusters.every(({cluster, ...one}) =>
      objectsBehind(key, limits, placeOf(evidence, one)).every((some) => this.#of(cluster)?.shows(some) === true),
    );
  }

  #of({context}: MeshCluster): ClusterWatch | undefined {
    return context === undefined ? undefined : this.#clusters.get(context);
  }
}

function isAbout({cluster, peer}: Row, {name}: MeshCluster): boolean {
  return cluster === undefined || cluster === name || peer === name;
}

function placeOf(evidence: Evidence, {facts}: Pick<Evidence['clusters'][number], 'facts'>): WatchedPlace {
  return {istioNamespace: evidence.mesh.istio.namespace, bundleNames: bundleNamesIn(facts)};
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let stop: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, {once: true});
  });
  await Promise.race([work, aborted]);
  signal.removeEventListener('abort', stop);
}

/** Counts the pairs of clusters that pass: with 200 clusters, seven checks have 278,600 results about pairs. */
import type {ErrorReport} from '../errors.js';
import type {MeshCluster} from '../mesh/mesh.js';
import type {Check, DecidedJudgement} from './check.js';
import type {RowCount} from './report.js';

/** The judgement of a check for one target. */
export interface Decision {
  /** Absent: unknown. */
  readonly judgement?: DecidedJudgement;
  /** The errors of the required facts, or of their parts, that are unknown: "ok" and "not applicable" do not hold then. */
  readonly unknown: readonly ErrorReport[];
  /** For a row about the mesh: the clusters with unknown facts. Absent: all. */
  readonly clusters?: readonly string[] | undefined;
}

/** Counts of results that are ok or skipped, by check and cluster. */
export class PairCounts {
  readonly #counts = new Map<string, {-readonly [Key in keyof RowCount]: RowCount[Key]}>();

  /** Counts a result. Returns false, and counts nothing, if it is neither ok nor skipped. */
  add({id}: Check, {name: cluster}: MeshCluster, {judgement, unknown}: Decision): boolean {
    const result = judgement && resultOf(judgement);
    if (result === undefined || unknown.length > 0) return false;
    const key = `${id} ${result} ${cluster}`;
    const count = this.#counts.get(key) ?? {id, cluster, result, count: 0};
    count.count += 1;
    this.#counts.set(key, count);
    return true;
  }

  /** Returns all counts, in the order of the checks, then of the clusters. */
  all(): readonly RowCount[] {
    return [...this.#counts.values()];
  }
}

function resultOf(judgement: DecidedJudgement): RowCount['result'] | undefined {
  if ('ok' in judgement) return 'ok';
  return 'skipped' in judgement ? 'skipped' : undefined;
}

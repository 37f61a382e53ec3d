/**
 * Whether roots agree in the way that matters: what one cluster signs, every other accepts. Bundles may differ, as they do
 * while a root is replaced.
 */
import type {LiveRoots, ServedChain} from '../facts/facts.js';
import {rejectionOf} from '../checks/trust/acceptance.js';
import {memoizeByKey} from '../memoize.js';
import type {Source} from './metrics.js';

/** Whether a cluster's CA is accepted by all clusters of which the roots are known. */
export interface RootAgreement {
  readonly cluster: string;
  readonly source: Source;
  readonly agrees: boolean;
  /** The clusters that do not accept it, its own included. */
  readonly refusedBy: readonly string[];
}

/** A cluster's CA and roots as files or objects have them. */
export interface StoredTrust {
  readonly cluster: string;
  /**
   * Fingerprint of the root that the cluster CA's chain ends in; `none` when it ends in no root of its own; undefined when
   * that cannot be told, as of a CA that has expired.
   */
  readonly anchor: string | undefined;
  /** Fingerprints of what its workloads are given to trust. */
  readonly roots: readonly string[] | undefined;
}

/** What runs in a cluster. */
export interface LiveTrust {
  readonly cluster: string;
  /** What its workloads trust; undefined where that is not known. */
  readonly roots: LiveRoots | undefined;
  /** What its istiods present, of those that sign it themselves. */
  readonly chains: readonly ServedChain[];
}

/** Of the work directory. What cannot be told is not judged. */
export function agreementOfFiles(clusters: readonly StoredTrust[]): readonly RootAgreement[] {
  return clusters.flatMap(({cluster, anchor, roots}) => {
    if (roots === undefined || anchor === undefined) return [];
    const refusing = clusters.filter((other) => other.roots?.includes(anchor) === false);
    return [agreement(cluster, 'workdir', refusing)];
  });
}

/** Of what runs: chains verified against bundles. What has merely expired is another matter. */
export function agreementOfLive(clusters: readonly LiveTrust[], now: Date): readonly RootAgreement[] {
  const judging = clusters.flatMap(({cluster, roots}) => (roots ? [{cluster, roots, bundle: bundleKey(roots)}] : []));
  return clusters.flatMap(({cluster, chains}) => {
    if (chains.length === 0 || judging.length === 0) return [];
    // In a mesh of hundreds nearly all have the same bundle: a signature is verified once for each.
    const refuses = memoizeByKey(
      ({roots}: (typeof judging)[number]) => chains.some((chain) => isRejection(rejectionOf(roots, chain, now)?.failure)),
      ({bundle}) => bundle,
    );
    return [agreement(cluster, 'live', judging.filter(refuses))];
  });
}

function bundleKey({certificates}: LiveRoots): string {
  return certificates
    .map(({fingerprint}) => fingerprint)
    .toSorted()
    .join();
}

function isRejection(failure: NonNullable<ReturnType<typeof rejectionOf>>['failure'] | undefined): boolean {
  return failure !== undefined && failure !== 'expired' && failure !== 'not-yet-valid';
}

function agreement(cluster: string, source: Source, refusing: readonly {readonly cluster: string}[]): RootAgreement {
  return {cluster, source, agrees: refusing.length === 0, refusedBy: refusing.map((other) => other.cluster)};
}

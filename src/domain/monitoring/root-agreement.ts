/**
 * Determines whether every cluster accepts the certificates that the others sign. Bundles may differ, as they do while a
 * root is replaced.
 */
import type {LiveRoots, ServedChain} from '../facts/facts.js';
import {type Rejection, rejectionOf} from '../checks/trust/acceptance.js';
import type {Source} from './metrics.js';

/** Whether a cluster's CA is accepted by all clusters with known roots. */
export interface RootAgreement {
  readonly cluster: string;
  readonly source: Source;
  readonly agrees: boolean;
  /** The clusters that do not accept it, which may include its own. */
  readonly refusedBy: readonly string[];
}

/** A cluster's CA and roots in files or objects. */
export interface StoredTrust {
  readonly cluster: string;
  /**
   * Fingerprint of the root of the cluster CA's chain; `none` if the chain does not end in one of its roots; undefined if
   * this is unknown, for example for an expired CA.
   */
  readonly anchor: string | undefined;
  /** Fingerprints of the roots that its workloads are given. */
  readonly roots: readonly string[] | undefined;
}

/** The live roots and chains of a cluster. */
export interface LiveTrust {
  readonly cluster: string;
  /** The roots that its workloads trust; undefined if unknown. */
  readonly roots: LiveRoots | undefined;
  /** The chains that its istiods present, if istiod's own CA signs them. */
  readonly chains: readonly ServedChain[];
}

/** Determines agreement in the work directory. Clusters with an unknown chain or roots are left out. */
export function agreementOfFiles(clusters: readonly StoredTrust[]): readonly RootAgreement[] {
  return clusters.flatMap(({cluster, anchor, roots}) => {
    if (roots === undefined || anchor === undefined) return [];
    const refusing = clusters.filter((other) => other.roots?.includes(anchor) === false);
    return [agreement(cluster, 'workdir', refusing)];
  });
}

/** Determines agreement of running istiods by verifying chains against bundles. Expired certificates do not count. */
export function agreementOfLive(clusters: readonly LiveTrust[], now: Date): readonly RootAgreement[] {
  const known = clusters.flatMap(({cluster, roots}) => (roots ? [{cluster, roots}] : []));
  return clusters.flatMap(({cluster, chains}) => {
    if (chains.length === 0 || known.length === 0) return [];
    const refusing = known.filter(({roots}) =>
      chains.some((chain) => isRejection(rejectionOf(roots, chain, now)?.failure)),
    );
    return [agreement(cluster, 'live', refusing)];
  });
}

function isRejection(failure: Rejection['failure'] | undefined): boolean {
  return failure !== undefined && failure !== 'expired' && failure !== 'not-yet-valid';
}

function agreement(cluster: string, source: Source, refusing: readonly {readonly cluster: string}[]): RootAgreement {
  return {cluster, source, agrees: refusing.length === 0, refusedBy: refusing.map((other) => other.cluster)};
}

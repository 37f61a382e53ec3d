/**
 * The variables of Istio's multicluster guide (istio.io, "Before you begin", 2020): MESH, and for each cluster
 * CLUSTER_n, CTX_n, NETWORK_n. WORK_DIR is read by the flag --work-dir.
 */
import {defined} from '../defined.js';
import {MeshError} from '../errors.js';
import type {Override} from './resolve.js';

/** One cluster in the variables. */
export interface GuideCluster {
  readonly name: string;
  readonly context?: string;
  readonly network?: Override;
}

/** The values of the variables. */
export interface GuideVariables {
  readonly meshID?: Override;
  readonly clusters: readonly GuideCluster[];
}

/** Reads the variables. Throws `MISSING_VALUE` if they name no cluster, or a context for a cluster without a name. */
export function readGuideVariables(environment: Readonly<Record<string, string | undefined>>): GuideVariables {
  const override = (source: string): Override | undefined => {
    const value = environment[source];
    // An empty variable counts as unset: a script failed to set it.
    return value === undefined || value === '' ? undefined : {value, source};
  };
  const numbers = [
    ...new Set(Object.keys(environment).flatMap((name) => /^(?:CLUSTER|CTX|NETWORK)_(\d+)$/.exec(name)?.[1] ?? [])),
  ].sort((a, b) => Number(a) - Number(b));
  const clusters = numbers.flatMap((number): readonly GuideCluster[] => {
    const [name, context, network] = ['CLUSTER', 'CTX', 'NETWORK'].map((word) => override(`${word}_${number}`));
    if (name) return [defined<GuideCluster>({name: name.value, context: context?.value, network})];
    // The guide has one NETWORK_1 for several clusters, so a network alone does not declare a cluster.
    if (!context) return [];
    throw new MeshError('MISSING_VALUE', `${context.source} is set, but CLUSTER_${number} is not`, {
      hints: [`export CLUSTER_${number}=NAME, or unset ${context.source}`],
    });
  });
  if (clusters.length === 0) {
    throw new MeshError('MISSING_VALUE', 'no cluster in the environment: CLUSTER_1 is not set', {
      hints: ['as in the guide, run: export CLUSTER_1=NAME CTX_1=CONTEXT NETWORK_1=NETWORK MESH=ID WORK_DIR=DIR'],
    });
  }
  return defined<GuideVariables>({clusters, meshID: override('MESH')});
}

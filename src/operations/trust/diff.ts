import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed, unknownsOf, valueOr} from '../../domain/observed.js';
import {type ErrorReport, problem} from '../../domain/errors.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {externalCaReason} from '../../domain/mesh/signer.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {compareCa, type Difference, type OwnCa} from '../../domain/trust/diff.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, type Conclusion, emptyPlan, onePhase, type Warning} from '../../engine/operation.js';
import {outcomeOfError, type ClusterResult, type CommonResult} from '../../engine/report.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {inspectWithoutKey, readCaSecret, readOwnCa} from '../../observe/ca-files.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readClusterUid} from '../../observe/identity.js';
import {summarizeCa, type ShownCa} from '../../domain/ca/inspect-ca.js';

/** `trust diff CLUSTER...`. */
export type DiffRequest = MeshRequest;

/** One cluster of {@link DiffResult}: `done` means compared. */
export interface ComparedCluster extends ClusterResult {
  readonly context?: string;
  /** Absent where it could not be told. */
  readonly same?: boolean;
  readonly differences: readonly Difference[];
  readonly workDirectory: ShownCa;
  readonly inCluster?: ShownCa;
  /** Why there is nothing to compare: somebody else makes the CA, and the work directory holds nothing of it. */
  readonly madeElsewhere?: string;
}

/** What `trust diff` answers. */
export interface DiffResult extends CommonResult {
  readonly clusters: readonly ComparedCluster[];
  readonly warnings: readonly Warning[];
}

interface DiffFacts {
  readonly loaded: LoadedMesh;
  readonly compared: readonly Compared[];
}

interface Compared {
  readonly cluster: MeshCluster;
  readonly own: OwnCa;
  readonly seen: Observed<{readonly uid: string; readonly cacerts: CacertsSecret | 'absent'}>;
}

/** `trust diff`: the work directory against what is in the clusters, by fingerprint. */
export const diffTrust = onePhase<DiffRequest, DiffResult, DiffFacts>({
  command: 'trust diff',
  changes: false,
  title: () => 'look at the clusters',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    return {loaded, compared: await eachCluster(loaded.clusters, concurrency, (one) => look(deps, loaded, one))};
  },
  plan: () => emptyPlan,
  report: ({facts}) => report(facts),
  conclude: ({clusters}) =>
    clusters.map(
      ({error, same, madeElsewhere: elsewhere}): Conclusion =>
        error?.code ?? (same === true || elsewhere !== undefined ? 'done' : 'findings'),
    ),
});

async function look(deps: Deps, {mesh}: LoadedMesh, cluster: MeshCluster): Promise<Compared> {
  const read = async () => {
    const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: mesh.istio.namespace});
    await reader.open();
    const options = inspectWithoutKey(mesh, deps.now());
    const [uid, cacerts] = await Promise.all([readClusterUid(reader), readCaSecret(reader, 'cacerts', options)]);
    return {uid, cacerts};
  };
  // The cluster first: credential plugins then ask in the order in which clusters are declared.
  const [seen, own] = await Promise.all([observe(read), readOwnCa(deps, mesh, cluster.name)]);
  return {cluster, own, seen};
}

function report({loaded, compared}: DiffFacts): DiffResult {
  const uids = compared.map(({cluster: {name}, seen}) => ({name, uid: valueOr(seen, undefined)?.uid}));
  const strangers = uidMismatches(loaded.mesh, uids);
  const elsewhere = externalCaReason(loaded.mesh.trust.signer);
  return {
    clusters: compared.map(({cluster: {name, context}, own, seen}): ComparedCluster => {
      const shown = {name, context, workDirectory: summarizeCa(own.inspection), differences: []};
      if (elsewhere !== undefined && own.files.caCert === undefined) {
        return defined({...shown, outcome: 'unchanged', madeElsewhere: elsewhere});
      }
      const [error = strangers.get(name)] = [...noOwnCa(name, own), ...unknownsOf(seen)];
      if (error || !isKnown(seen)) {
        return defined({...shown, outcome: error ? outcomeOfError(error) : 'unknown', error});
      }
      const {cacerts} = seen.value;
      const differences = compareCa(own, cacerts);
      const inCluster = cacerts === 'absent' ? undefined : summarizeCa(cacerts.inspection);
      return defined({...shown, outcome: 'done', same: differences.length === 0, differences, inCluster});
    }),
    warnings: asWarnings(loaded.notes),
  };
}

/** Why there is nothing to compare a cluster with. */
function noOwnCa(cluster: string, {files, inspection}: OwnCa): readonly ErrorReport[] {
  if (inspection.certificate) return [];
  const why = files.caCert === undefined ? 'is not there' : 'cannot be read';
  const message = `${cluster}/ca-cert.pem ${why}: there is nothing to compare with`;
  return [problem('FILE_MISSING', message, advice`make it: ${kubectlMesh('certs generate', [cluster])}`)];
}

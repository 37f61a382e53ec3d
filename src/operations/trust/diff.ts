import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {madeElsewhere} from '../../domain/mesh/signer.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {compareCa, type Difference, type OwnCa} from '../../domain/trust/diff.js';
import type {Deps} from '../../engine/deps.js';
import {type Conclusion, type Operation, type Phase, type Warning, emptyPlan} from '../../engine/operation.js';
import {outcomeOfError, type ClusterResult, type CommonResult} from '../../engine/report.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {inspectWithoutKey, readCaSecret} from '../../observe/cacerts.js';
import {readOwnCa} from '../../observe/ca-files.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readClusterUid} from '../../observe/identity.js';
import {summarise, summariseSecret, type CaSummary} from '../../domain/trust/ca-summary.js';

/** `trust diff CLUSTER...`. */
export type DiffRequest = MeshRequest;

/** One cluster of {@link DiffResult}: `done` means compared. */
export interface ComparedCluster extends ClusterResult {
  readonly context?: string;
  /** Absent where it could not be told. */
  readonly same?: boolean;
  readonly differences: readonly Difference[];
  readonly workDirectory: CaSummary;
  readonly inCluster?: CaSummary;
  /** Why there is nothing to compare: somebody else makes the CA, and the work directory holds nothing of it. */
  readonly madeElsewhere?: string;
}

/** What `trust diff` answers. */
export interface DiffResult extends CommonResult {
  readonly clusters: readonly ComparedCluster[];
  readonly warnings: readonly Warning[];
}

interface Compared {
  readonly cluster: MeshCluster;
  readonly own: OwnCa;
  readonly seen: Observed<{readonly uid: string; readonly cacerts: CacertsSecret | 'absent'}>;
}

/** `trust diff`: the work directory against what is in the clusters, by fingerprint. */
export const diffTrust: Operation<DiffRequest, DiffResult> = {
  command: 'trust diff',
  changes: false,
  async execute(request, engine) {
    const {facts} = await engine.run(diffPhase(request, engine.settings.concurrency));
    return report(facts);
  },
  conclude: ({clusters}) =>
    clusters.map(
      ({error, same, madeElsewhere: elsewhere}): Conclusion =>
        error?.code ?? (same === true || elsewhere !== undefined ? 'done' : 'findings'),
    ),
};

interface DiffFacts {
  readonly loaded: LoadedMesh;
  readonly compared: readonly Compared[];
}

function diffPhase(request: DiffRequest, concurrency: number): Phase<DiffFacts> {
  return {
    title: 'look at the clusters',
    async gather(deps) {
      const loaded = await loadMesh(deps, request);
      return {
        loaded,
        compared: await eachCluster(loaded.clusters, concurrency, (cluster) => compare(deps, loaded, cluster)),
      };
    },
    plan: () => emptyPlan,
  };
}

async function compare(deps: Deps, loaded: LoadedMesh, cluster: MeshCluster): Promise<Compared> {
  const {mesh} = loaded;
  const read = async () => {
    const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: mesh.istio.namespace});
    await reader.open();
    const [uid, cacerts] = await Promise.all([
      readClusterUid(reader),
      readCaSecret(reader, 'cacerts', inspectWithoutKey(mesh, deps.now())),
    ]);
    return {uid, cacerts};
  };
  // The cluster first: credential plugins then ask in the order in which clusters are declared.
  const [seen, own] = await Promise.all([observe(read), readOwnCa(deps, mesh, cluster.name)]);
  return {cluster, own, seen};
}

function report({loaded, compared}: DiffFacts): DiffResult {
  const uids = compared.flatMap(({cluster, seen}) =>
    isKnown(seen) ? [{name: cluster.name, uid: seen.value.uid}] : [],
  );
  const strangers = identityProblems(loaded.mesh, uids, false);
  const elsewhere = madeElsewhere(loaded.mesh.trust.signer);
  return {
    clusters: compared.map((one): ComparedCluster => {
      const {cluster, own, seen} = one;
      const shown = {
        name: cluster.name,
        ...(cluster.context === undefined ? {} : {context: cluster.context}),
        workDirectory: summarise(own.inspection),
      };
      if (elsewhere !== undefined && own.files.caCert === undefined) {
        return {...shown, outcome: 'unchanged', differences: [], madeElsewhere: elsewhere};
      }
      const error = errorOf(one) ?? strangers.find((stranger) => stranger.cluster === cluster.name)?.error;
      if (error || !isKnown(seen)) {
        return defined({...shown, outcome: error ? outcomeOfError(error) : 'unknown', error, differences: []});
      }
      const {cacerts} = seen.value;
      const differences = compareCa(own, cacerts);
      const inCluster = summariseSecret(cacerts);
      return defined({...shown, outcome: 'done', same: differences.length === 0, differences, inCluster});
    }),
    warnings: loaded.notes.map((message) => ({message})),
  };
}

/** Why a cluster cannot be compared. */
function errorOf({cluster, own, seen}: Compared): ErrorReport | undefined {
  if (own.inspection.certificate === undefined) {
    const why = own.files.caCert === undefined ? 'is not there' : 'cannot be read';
    return reportError(
      new MeshError('FILE_MISSING', `${cluster.name}/ca-cert.pem ${why}: there is nothing to compare with`, {
        hints: [advice`make it: ${kubectlMesh('certs generate', [cluster.name])}`],
      }),
    );
  }
  return isKnown(seen) ? undefined : seen.unknown;
}

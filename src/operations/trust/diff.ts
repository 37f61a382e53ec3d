import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed, unknownsOf, valueOr} from '../../domain/observed.js';
import {codeOfFailedRead, type ErrorReport, problem} from '../../domain/errors.js';
import {caSecretOf, describeSource, type IstiodCaSource, otherSources} from '../../domain/istio/ca-source.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {externalCaReason} from '../../domain/mesh/signer.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {compareCa, type Difference, type DesiredCa} from '../../domain/trust/diff.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, type Conclusion, emptyPlan, onePhase, type Warning} from '../../engine/operation.js';
import {outcomeOfFailedRead, type ClusterResult, type CommonResult} from '../../engine/report.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {inspectWithoutKey, readCaSecret, readCaSources, readMountedCa, readWorkDirCa} from '../../observe/ca-files.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readClusterUid} from '../../observe/identity.js';
import {summarizeCa, type ShownCa} from '../../domain/ca/inspect-ca.js';

/** `trust diff CLUSTER...`. */
export type DiffRequest = MeshRequest;

/** One cluster of {@link DiffResult}: `done` means compared. */
export interface ComparedCluster extends ClusterResult {
  readonly context?: string;
  /** Absent if unknown. */
  readonly same?: boolean;
  readonly differences: readonly Difference[];
  readonly workDirectory: ShownCa;
  readonly inCluster?: ShownCa;
  /** Why there is nothing to compare: trust.signer is external, and the work directory has no files of the CA. */
  readonly madeElsewhere?: string;
}

/** The result of `trust diff`. */
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
  readonly own: DesiredCa;
  readonly inCluster: Observed<InCluster>;
}

interface InCluster {
  readonly uid: string;
  /** The Secret that istiod mounts. */
  readonly cacerts: CacertsSecret | 'absent';
  /** An istiod that does not read Secret cacerts. */
  readonly other?: IstiodCaSource;
}

/** `trust diff`: compares the work directory with the clusters, by fingerprint. */
export const diffTrust = onePhase<DiffRequest, DiffResult, DiffFacts>({
  command: 'trust diff',
  changes: false,
  title: () => 'read the clusters',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    return {loaded, compared: await eachCluster(loaded.clusters, concurrency, (one) => readBoth(deps, loaded, one))};
  },
  plan: () => emptyPlan,
  report: ({facts}) => report(facts),
  conclude: ({clusters}) =>
    clusters.map(({error, same, madeElsewhere: elsewhere}): Conclusion => {
      if (error) return codeOfFailedRead(error.code);
      return same === true || elsewhere !== undefined ? 'done' : 'findings';
    }),
});

async function readBoth(deps: Deps, {mesh}: LoadedMesh, cluster: MeshCluster): Promise<Compared> {
  const read = async (): Promise<InCluster> => {
    const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: mesh.istio.namespace});
    await reader.open();
    const options = inspectWithoutKey(mesh, deps.now());
    const [uid, sources] = await Promise.all([readClusterUid(reader), readCaSources(reader, 'istiods')]);
    const other = otherSources(sources)[0];
    // What istiod reads from another volume than a Secret cannot be compared; Secret cacerts can.
    const cacerts = await (caSecretOf(sources) === undefined
      ? readCaSecret(reader, 'cacerts', options)
      : readMountedCa(reader, sources, options));
    return {uid, cacerts, ...(other && {other})};
  };
  // The cluster first: credential plugins then prompt in the order in which clusters are declared.
  const [inCluster, own] = await Promise.all([observe(read), readWorkDirCa(deps, mesh, cluster.name)]);
  return {cluster, own, inCluster};
}

function report({loaded, compared}: DiffFacts): DiffResult {
  const uids = compared.map(({cluster: {name}, inCluster}) => ({name, uid: valueOr(inCluster, undefined)?.uid}));
  const mismatches = uidMismatches(loaded.mesh, uids);
  const elsewhere = externalCaReason(loaded.mesh.trust.signer);
  return {
    clusters: compared.map(({cluster: {name, context}, own, inCluster}): ComparedCluster => {
      const shown = {name, context, workDirectory: summarizeCa(own.inspection), differences: []};
      if (elsewhere !== undefined && own.files.caCert === undefined) {
        return defined({...shown, outcome: 'unchanged', madeElsewhere: elsewhere});
      }
      const [error = mismatches.get(name)] = [...missingCaErrors(name, own), ...unknownsOf(inCluster)];
      if (error || !isKnown(inCluster)) {
        return defined({...shown, outcome: error ? outcomeOfFailedRead(error) : 'unknown', error});
      }
      const {cacerts} = inCluster.value;
      const differences = compareCa(own, cacerts);
      const found = cacerts === 'absent' ? undefined : summarizeCa(cacerts.inspection);
      return defined({...shown, outcome: 'done', same: differences.length === 0, differences, inCluster: found});
    }),
    warnings: [...asWarnings(loaded.notes), ...compared.flatMap(sourceWarnings)],
  };
}

function sourceWarnings({cluster: {name}, inCluster}: Compared): readonly Warning[] {
  const other = isKnown(inCluster) ? inCluster.value.other : undefined;
  if (!other) return [];
  return [{cluster: name, message: `Deployment ${other.istiod} reads its CA from ${describeSource(other.source)}`}];
}

/** The error for a cluster without a CA in the work directory. */
function missingCaErrors(cluster: string, {files, inspection}: DesiredCa): readonly ErrorReport[] {
  if (inspection.certificate) return [];
  const why = files.caCert === undefined ? 'not found' : 'is unreadable';
  const message = `${cluster}/ca-cert.pem ${why}: there is nothing to compare with`;
  return [problem('FILE_MISSING', message, advice`create it with: ${kubectlMesh('certs generate', [cluster])}`)];
}

/** `link --output-dir`: writes what link would create, without the tokens, for git. Changes no cluster. */
import {resolve} from 'node:path';
import {
  addressProblem,
  hasCredentials,
  needsRootCa,
  type ResolvedApiServer,
  resolveApiServer,
} from '../../domain/discovery/api-server.js';
import type {TokenStore} from '../../domain/discovery/external-secret.js';
import {type LinkFile, linkFiles, linkFileText} from '../../domain/discovery/link-files.js';
import {discoveryPairs, type DiscoveryPair} from '../../domain/discovery/pairs.js';
import {type ErrorReport, MeshError, problem} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {requireContext} from '../../domain/mesh/resolve.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {advice, edit, inWorkDir} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, emptyPlan, onePhase, type Plan, type Warning} from '../../engine/operation.js';
import {
  type ClusterResult,
  clusterOutcomesWithCause,
  concludeClusters,
  type CommonResult,
} from '../../engine/report.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';

/** `link --output-dir DIR [CLUSTER...]`. */
export interface ExportLinkRequest extends MeshRequest {
  /** As given; `-` prints the manifests instead. */
  readonly directory: string;
  readonly store: Omit<TokenStore, 'prefix'>;
  readonly allowLocalAddress: boolean;
}

/** A file with its objects; its text is in the result of `-` only. */
type ShownFile = Pick<LinkFile, 'cluster' | 'path' | 'objects'> & {readonly text: string};

/** The result of `link --output-dir`. */
export interface ExportLinkResult extends CommonResult {
  /** Absolute; absent for `-`. */
  readonly directory?: string;
  readonly files: readonly ShownFile[];
  readonly clusters: readonly ClusterResult[];
  readonly warnings: readonly Warning[];
}

interface ExportFacts {
  readonly loaded: LoadedMesh;
  readonly pairs: readonly DiscoveryPair[];
  /** By the peer's name. */
  readonly addresses: ReadonlyMap<string, Observed<ResolvedApiServer>>;
  /** Absolute; absent for `-`. */
  readonly directory?: string;
}

interface ExportPlan extends Plan {
  readonly files: readonly LinkFile[];
}

/** `link --output-dir`. Needs no lock: it changes neither the work directory nor a cluster. */
export const exportLink = onePhase<ExportLinkRequest, ExportLinkResult, ExportFacts, ExportPlan>({
  command: 'link',
  changes: false,
  title: () => 'read the addresses of the API servers',
  gather: (deps, request, {concurrency}) => gatherExport(deps, request, concurrency),
  plan: planExport,
  report: ({facts, plan, outcomes}) => ({
    ...(facts.directory !== undefined && {directory: facts.directory}),
    files: plan.files.map(({cluster, path, objects, comment}) => ({
      cluster,
      path,
      objects,
      text: linkFileText({comment, objects}),
    })),
    clusters: clusterOutcomesWithCause(namesOf(facts.pairs), {plan, outcomes}),
    warnings: plan.warnings,
  }),
  conclude: ({clusters}) => concludeClusters(clusters),
});

async function gatherExport(deps: Deps, request: ExportLinkRequest, concurrency: number): Promise<ExportFacts> {
  const loaded = await loadMesh(deps, request);
  const directory = request.directory === '-' ? undefined : resolve(request.directory);
  if (directory === deps.workspace.root) {
    throw new MeshError(
      'USAGE',
      `invalid --output-dir ${JSON.stringify(request.directory)}: it is the work directory`,
      {
        hints: ['its directories of clusters contain CA keys: use another one, also one inside the work directory'],
      },
    );
  }
  const pairs = discoveryPairs(
    loaded.mesh.clusters,
    loaded.clusters.map(({name}) => name),
  );
  const peers = loaded.mesh.clusters.filter(({name}) => pairs.some(({peer}) => peer.name === name));
  const addresses = await eachCluster(peers, concurrency, async (peer) => {
    const address = await observe(() => readAddress(deps, loaded.mesh, peer));
    return [peer.name, address] as const;
  });
  return {loaded, pairs, addresses: new Map(addresses), ...(directory !== undefined && {directory})};
}

/** Reads only what mesh.yaml does not declare: the kubeconfig, or the cluster's CA. */
async function readAddress(deps: Deps, mesh: Mesh, peer: MeshCluster): Promise<ResolvedApiServer> {
  const {apiServer} = peer;
  const server = apiServer ? undefined : await deps.clusters.serverOf(requireContext(peer));
  const reader = new ClusterReader(deps.clusters, {cluster: peer, istioNamespace: mesh.istio.namespace});
  const rootCa = needsRootCa(peer) ? (await reader.read('apiServerCa'))?.data?.['ca.crt'] : undefined;
  const resolved = resolveApiServer(peer, server, rootCa);
  if (!resolved) throw new MeshError('INTERNAL', `the kubeconfig has no API server of ${peer.name}`);
  return resolved;
}

function planExport(facts: ExportFacts, {store, allowLocalAddress}: ExportLinkRequest): ExportPlan {
  const {loaded, pairs, directory} = facts;
  const {mesh} = loaded;
  const blockers = [...facts.addresses].flatMap(([cluster, address]) =>
    problemsOf(cluster, address, allowLocalAddress).map((error) => ({cluster, error})),
  );
  const warnings = asWarnings(loaded.notes);
  if (blockers.length > 0) return {...emptyPlan, files: [], blockers, warnings};
  const addresses = new Map(
    [...facts.addresses].flatMap(([name, found]) => (isKnown(found) ? [[name, found.value.address] as const] : [])),
  );
  const files = linkFiles(pairs, addresses, {
    namespace: mesh.istio.namespace,
    revisions: mesh.istio.revisions ?? [],
    discovery: mesh.discovery,
    store: {...store, prefix: mesh.meshID ?? 'mesh'},
  });
  return {
    files,
    blockers,
    warnings,
    groups: directory === undefined ? [] : writeGroups(files, directory),
  };
}

function writeGroups(files: readonly LinkFile[], directory: string): Plan['groups'] {
  const lanes = [...new Set(files.map(({cluster}) => cluster))].map((cluster) => {
    const own = files.filter((file) => file.cluster === cluster);
    const title = `write ${own.map(({path}) => path).join(', ')}`;
    return {
      key: cluster,
      cluster,
      title: `${cluster}: ${title}`,
      actions: [
        {
          kind: 'write-manifests' as const,
          id: `${cluster}/manifests`,
          cluster,
          title,
          directory,
          files: own.map((file) => ({path: file.path, text: linkFileText(file)})),
        },
      ],
    };
  });
  return lanes.length === 0 ? [] : [{lanes, onFailure: 'stop'}];
}

function problemsOf(
  cluster: string,
  found: Observed<ResolvedApiServer>,
  allowLocalAddress: boolean,
): readonly ErrorReport[] {
  if (!isKnown(found)) return [found.unknown];
  const {proxyUrl} = found.value.address;
  if (proxyUrl !== undefined && hasCredentials(proxyUrl)) return [proxyCredentials(cluster)];
  const error = addressProblem(cluster, found.value);
  return error && !(allowLocalAddress && error.code === 'LOCAL_ADDRESS') ? [error] : [];
}

function proxyCredentials(cluster: string): ErrorReport {
  return problem(
    'URL_CREDENTIALS',
    `the proxy-url of ${cluster} in the kubeconfig contains credentials, which are not written to manifests`,
    advice`declare apiServer of ${cluster} with a proxyUrl without them: ${edit(inWorkDir(layout.meshYaml))}`,
  );
}

function namesOf(pairs: readonly DiscoveryPair[]): readonly string[] {
  return [...new Set(pairs.flatMap(({reader, peer}) => [reader.name, peer.name]))];
}

import type {IstiodDiscovery, PodAddress} from '../../facts/facts.js';
import {networksShared} from '../../facts/read/shared-addresses.js';
import {some} from '../../format.js';
import {groupBy} from '../../group-by.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {kubectlMesh, sequence} from '../../suggest/suggestion.js';
import {apiServerCheck, type Finding, findingsOr, notApplicable, ok, type OfCluster} from '../check.js';
import {editMeshYaml} from '../fixes.js';

/** Pods on one network have different addresses. */
export const podAddressesCheck = apiServerCheck({
  id: 'MESH422',
  title: 'Clusters on one network have different pod addresses',
  scope: 'mesh',
  implies: ['MESH601'],
  requires: ['podAddresses'],
  optional: ['istiodDiscovery'],
  expected: 'different addresses in clusters on one network',
  judge: ({podAddresses, istiodDiscovery = []}, {mesh}) => {
    if (!networksShared(mesh)) return ok('every cluster has its own network');
    const byNetwork = groupBy(podAddresses, ({cluster}) => cluster.network ?? '');
    const shared = [...byNetwork.values()].filter((members) => members.length > 1);
    if (shared.length === 0) return notApplicable('no two clusters that were checked are on one network');
    const listed = istiodDiscovery.flatMap(({value}) => value.flatMap((pod) => pod.value.sharedAddresses ?? []));
    const all = [...shared.flatMap(sameAddresses), ...listed.flatMap((one) => overlapIn(one, mesh.clusters))];
    const ofPairs = groupBy(all, ({clusters}) => pairOf(clusters));
    const findings = [...ofPairs.values()].map(findingOf);
    const isCompared = istiodDiscovery.some(({value}) => value.some((pod) => pod.value.endpoints !== undefined));
    if (findings.length === 0 && !isCompared)
      return notApplicable("only pods of Istio's namespace could be compared: no istiod listed its endpoints");
    const names = shared.map((members) => members.map(({cluster}) => cluster.name).join(', '));
    return findingsOr(findings, ok(names.join('; ')));
  },
  meaning:
    "No running pod in Istio's namespace has the address of such a pod in another cluster on the same network, and istiod's endpoints (/debug/endpointShardz) do not contain two or more addresses that pods of both clusters have. Pods on the network of their node are excluded, as are endpoints that are not pods. The CIDRs of nodes are not compared: some network plugins ignore them, and clusters with separate addresses then have the same.",
  breaks:
    'On one network, proxies connect to the address of a pod directly: requests for a pod of the other cluster reach a pod of their own cluster, or none.',
  byHand:
    'kubectl --context "$CTX" get pod --all-namespaces --field-selector spec.hostNetwork=false -o jsonpath=\'{range .items[*]}{.status.podIP}{"\\n"}{end}\' | sort >pods-of-one.txt   # and in the other cluster\ncomm -12 pods-of-one.txt pods-of-other.txt',
  fix: 'Declare another network for one of the clusters in mesh.yaml and run `kubectl mesh up`: their proxies then reach each other through gateways. Otherwise create one of the clusters again with other pod CIDRs.',
  source:
    'istio.io: ops/deployment/deployment-models (Network models: a single network requires non-overlapping addresses); istio/istio pilot/pkg/xds/endpoints/ep_filters.go',
});

/** Addresses that pods of two clusters have. */
interface Overlap {
  readonly clusters: readonly [MeshCluster, MeshCluster];
  readonly examples: readonly string[];
  readonly count: number;
  readonly owners: readonly string[];
}

/** Of pods in Istio's namespace. */
function sameAddresses(members: readonly OfCluster<readonly PodAddress[]>[]): readonly Overlap[] {
  const firsts = new Map<string, {readonly cluster: MeshCluster; readonly pod: string}>();
  const found: Overlap[] = [];
  for (const {cluster, value} of members) {
    for (const {pod, address} of value) {
      const first = firsts.get(address);
      if (!first) firsts.set(address, {cluster, pod});
      else if (first.cluster !== cluster) {
        const owners = [`${first.pod} of ${first.cluster.name}`, `${pod} of ${cluster.name}`];
        found.push({clusters: [first.cluster, cluster], examples: [address], count: 1, owners});
      }
    }
  }
  return found;
}

/** Of endpoints: an address may have been given to another pod between the events of two clusters, two hardly. */
const leastShared = 2;

function overlapIn(
  {clusters: [one, other], count, examples, services}: NonNullable<IstiodDiscovery['sharedAddresses']>[number],
  clusters: readonly MeshCluster[],
): readonly Overlap[] {
  const [first, second] = [one, other].map((name) => clusters.find((cluster) => istioNameOf(cluster) === name));
  if (!first || !second || count < leastShared) return [];
  return [{clusters: [first, second], examples, count, owners: services}];
}

function pairOf(clusters: readonly MeshCluster[]): string {
  return clusters
    .map(({name}) => name)
    .sort()
    .join(' ');
}

function findingOf(overlaps: readonly Overlap[]): Finding | undefined {
  const [first] = overlaps;
  if (!first) return undefined;
  const {clusters} = first;
  const names = clusters.map(({name}) => name);
  const examples = [...new Set(overlaps.flatMap((one) => one.examples))];
  const count = Math.max(examples.length, ...overlaps.map((one) => one.count));
  const owners = [...new Set(overlaps.flatMap((one) => one.owners))];
  const more = count - Math.min(count, 3);
  const addresses = `${examples.slice(0, 3).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
  return {
    observed: `pods of ${names.join(' and ')} have the same addresses: ${addresses} (${some(owners, 3)})`,
    clusters: names,
    fix: sequence(editMeshYaml(), kubectlMesh('up', ['--yes'])),
    note: 'declare different networks, or create one of the clusters again with other pod CIDRs',
  };
}

import {hasFeature} from '../../istio/features.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {fixWith, inspectWith, pipe, type Suggestion, Variable, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding, type Judgement, type Subject} from '../check.js';
import type {ControlPlaneFacts, NetworkGatewayFacts, PodFacts} from '../../facts/facts.js';
import {reinstallFix} from '../fixes.js';
import {nodeSelectorAnnotation, spansNetworks} from '../../facts/read/network-gateways.js';
import {inspectPod, workloadProblems} from './workload.js';

/** Clusters of other networks can be reached: there is a gateway into each network, and it has an address. */
export const gatewayAddressesCheck = apiServerCheck({
  id: 'MESH411',
  title: 'Gateways that the topology needs have addresses',
  scope: 'mesh',
  requires: ['networkGateways', 'controlPlanes'],
  expected: 'for every network a gateway with an address and ready pods',
  judge: ({networkGateways, controlPlanes}, subject) => {
    const seen = networkGateways.map(({cluster, value}): ObservedCluster => ({
      cluster,
      gateways: value,
      controlPlanes: controlPlanes.find((one) => one.cluster.name === cluster.name)?.value ?? [],
    }));
    return spansNetworks(subject.mesh) ? judgeNetworks(seen, subject) : judgeOneNetwork(seen, subject);
  },
  meaning: `Where clusters are on several networks, each network has an east-west gateway: a Service with the label topology.istio.io/network (or a Gateway of the Gateway API, or one that meshNetworks names), with an address that other networks can reach, and with ready pods. The address is one of a load balancer, of spec.externalIPs, or of nodes that the annotation ${nodeSelectorAnnotation} selects. Clusters of one network need none; Istio 1.6 and 1.7 with mesh expansion need the ingress gateway for machines outside the cluster.`,
  breaks:
    'istiod tells other networks no way into this one: they have no endpoints here, requests that ought to go here fail or stay at home, and nothing else shows it.',
  byHand:
    'kubectl --context "$CTX" get service --all-namespaces -l topology.istio.io/network -L topology.istio.io/network\nistioctl --context "$CTX" proxy-config endpoints DEPLOYMENT -n NAMESPACE | grep 15443   # from a workload of another network',
  howToFix: "Install Istio's east-west gateway; $ISTIO is the unpacked Istio release, as in Istio's guide (with --ambient its output is for `kubectl apply -f -`), and let it expose services with $ISTIO/samples/multicluster/expose-services.yaml. An address that stays pending: the events of the Service say why; where no load balancer exists, use spec.externalIPs, or a NodePort with the annotation.",
  source:
    'istio/istio pilot/pkg/serviceregistry/kube/controller/network.go, pilot/pkg/serviceregistry/kube/conversion.go; istio.io: setup/install/multicluster/multi-primary_multi-network',
});

/** What was seen of one cluster. */
interface ObservedCluster {
  readonly cluster: MeshCluster;
  readonly gateways: readonly NetworkGatewayFacts[];
  readonly controlPlanes: readonly ControlPlaneFacts[];
}

function judgeNetworks(seen: readonly ObservedCluster[], subject: Subject): Judgement {
  const members = seen.filter(({cluster}) => cluster.network !== undefined);
  const findings = members.flatMap((one) => findingsOf(one, members, subject));
  const good = members.flatMap(({gateways}) => gateways.filter((gateway) => problemOf(gateway) === undefined));
  return findingsOr(
    findings,
    good.length === 0
      ? notApplicable('the other clusters of these networks were not asked')
      : ok(good.map(({network, addresses}) => `${network}: ${addresses.join(', ')}`).join('; ')),
  );
}

function findingsOf(one: ObservedCluster, members: readonly ObservedCluster[], subject: Subject): readonly Finding[] {
  const {cluster, gateways} = one;
  const {network = ''} = cluster;
  const own = gateways.filter((gateway) => gateway.network === network);
  if (own.some((gateway) => problemOf(gateway) === undefined)) return [];
  const siblings = members.filter((other) => other !== one && other.cluster.network === network);
  // istiod takes any gateway of the network: its cluster decides nothing.
  const isServed = siblings.some(({gateways: theirs}) =>
    theirs.some((gateway) => gateway.network === network && problemOf(gateway) === undefined),
  );
  if (own.length > 0) {
    return own.map((gateway) => ({
      severity: isServed ? 'warning' : 'error',
      observed: `${cluster.name}: ${problemOf(gateway) ?? ''}`,
      fix: fixFor(gateway, one, subject),
    }));
  }
  const others = subject.mesh.clusters.filter(({name, network: theirs}) => theirs === network && name !== cluster.name);
  // Those that were not asked may have it.
  if (isServed || others.length > siblings.length) return [];
  const foreign = gateways.map((gateway) => `${nameOf(gateway)} says ${gateway.network}`);
  const observed = [`${cluster.name}: no gateway into ${network}`, ...(foreign.length > 0 ? [foreign.join(', ')] : [])];
  return [{observed: observed.join(': '), fix: installFix(one, subject)}];
}

/** Istio 1.6 and 1.7 with mesh expansion: machines outside the cluster come in by the gateway that meshNetworks names. */
function judgeOneNetwork(seen: readonly ObservedCluster[], subject: Subject): Judgement {
  const old = seen.filter(({controlPlanes}) => controlPlanes.some(({version}) => !hasFeature(version, 'networkLabel')));
  const named = old.flatMap((one) => one.gateways.map((gateway) => ({one, gateway})));
  if (named.length === 0)
    return notApplicable('all clusters are on one network: no gateway between networks is needed');
  const findings = named.map(({one, gateway}): Finding | undefined => {
    const problem = problemOf(gateway);
    if (problem === undefined) return undefined;
    // Between clusters of one network nothing goes through it.
    const severity = gateway.exists ? 'warning' : 'error';
    return {severity, observed: `${one.cluster.name}: ${problem}`, fix: fixFor(gateway, one, subject)};
  });
  return findingsOr(
    findings,
    ok(named.map(({gateway}) => `${nameOf(gateway)}: ${gateway.addresses.join(', ')}`).join('; ')),
  );
}

/** Why other networks cannot use it; undefined when they can. */
function problemOf(gateway: NetworkGatewayFacts): string | undefined {
  const what = nameOf(gateway);
  if (!gateway.exists) return `meshNetworks names ${what}, which does not exist`;
  if (gateway.addresses.length === 0) return `${what} has no address${noAddressReason(gateway)}`;
  if (!gateway.listens) return `${what} listens neither on port 15443 nor on 15008`;
  const {pods} = gateway;
  if (pods === undefined) return undefined;
  if (pods.every(({gone}) => gone)) return `${what} selects no pod`;
  const [problem] = workloadProblems({name: what, desired: 1, pods, env: {}});
  return pods.some(({ready, gone}) => ready && !gone)
    ? undefined
    : `${what}: ${problem?.observed ?? 'no pod is ready'}`;
}

/** The pod that keeps a gateway with an address from serving; undefined where it selects none. */
function unreadyPod({pods = []}: NetworkGatewayFacts): PodFacts | undefined {
  return pods.find(({ready, gone}) => !ready && !gone);
}

function noAddressReason({serviceType, declaredBy}: NetworkGatewayFacts): string {
  if (declaredBy === 'Gateway') return '';
  if (serviceType === 'LoadBalancer') return ': its load balancer is pending';
  if (serviceType === 'NodePort') return `: it is a NodePort without the annotation ${nodeSelectorAnnotation}`;
  return `: its type is ${serviceType}`;
}

function nameOf({declaredBy, namespace, name}: NetworkGatewayFacts): string {
  return namespace === '' ? name : `${declaredBy === 'Gateway' ? 'Gateway' : 'Service'} ${namespace}/${name}`;
}

function fixFor(gateway: NetworkGatewayFacts, one: ObservedCluster, subject: Subject): Suggestion {
  const {cluster} = one;
  const {namespace} = gateway;
  const service = `service/${gateway.name}`;
  const describe = inspectWith.kubectl(cluster, words`-n ${namespace} describe ${service}`);
  if (!gateway.exists) return reinstallFix({cluster});
  if (gateway.addresses.length > 0) {
    if (!gateway.listens) return installFix(one, subject);
    const pod = unreadyPod(gateway);
    return pod ? inspectPod(pod, cluster, namespace) : describe;
  }
  switch (gateway.serviceType) {
    case 'NodePort':
      return fixWith.kubectl(cluster, words`-n ${namespace} annotate ${service} ${nodeSelectorAnnotation}={}`);
    case 'LoadBalancer':
      return describe;
    default:
      return fixWith.kubectl(cluster, words`-n ${namespace} patch ${service} -p {"spec":{"type":"LoadBalancer"}}`);
  }
}

/** What Istio's guide does; its script has needed mesh and cluster before 1.12 and takes them still. */
function installFix({cluster, controlPlanes}: ObservedCluster, {mesh}: Pick<Subject, 'mesh'>): Suggestion {
  const {network = ''} = cluster;
  const revision = controlPlanes.find((one) => one.revision !== 'default')?.revision;
  const isDefault = controlPlanes.some((one) => one.revision === 'default');
  const makeManifest = inspectWith.run(new Variable('ISTIO', '/samples/multicluster/gen-eastwest-gateway.sh'), [
    ...(mesh.meshID === undefined ? [] : ['--mesh', mesh.meshID]),
    ...['--cluster', cluster.name, '--network', network],
    ...(revision === undefined || isDefault ? [] : ['--revision', revision]),
  ]);
  const {namespace} = mesh.istio;
  const place = namespace === 'istio-system' ? [] : words`--set values.global.istioNamespace=${namespace}`;
  return pipe(makeManifest, fixWith.istioctl(cluster, words`install -y -f - ${place}`));
}

import {hasFeature} from '../../istio/features.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {fixWith, inspectWith, pipe, type Suggestion, Variable, words} from '../../suggest/suggestion.js';
import {
  apiServerCheck,
  findingsOr,
  notApplicable,
  ok,
  type Finding,
  type Judgement,
  type CheckSubject,
} from '../check.js';
import type {ControlPlaneFacts, NetworkGatewayFacts, PodFacts} from '../../facts/facts.js';
import {reinstallFix} from '../fixes.js';
import {nodeSelectorAnnotation} from '../../istio/gateway-address.js';
import {mtlsPort, mtlsPortName, spansNetworks} from '../../facts/read/network-gateways.js';
import {inspectPod, workloadProblems} from './workload.js';

/** Each network can be reached from the others: it has a gateway with an address and ready pods. */
export const gatewayAddressesCheck = apiServerCheck({
  id: 'MESH411',
  title: 'Every network of a multi-network mesh has a working gateway',
  scope: 'mesh',
  requires: ['networkGateways', 'controlPlanes'],
  expected: 'a gateway with an address and ready pods for every network',
  // Without a port for mutual TLS there is nothing to expose.
  implies: ['MESH420', 'MESH601'],
  explains: 'requests to it',
  judge: ({networkGateways, controlPlanes}, subject) => {
    const clusters = networkGateways.map(({cluster, value}): ClusterGateways => ({
      cluster,
      gateways: value,
      controlPlanes: controlPlanes.find((one) => one.cluster.name === cluster.name)?.value ?? [],
    }));
    return spansNetworks(subject.mesh) ? judgeNetworks(clusters, subject) : judgeOneNetwork(clusters, subject);
  },
  meaning: `If the clusters are on several networks, each network has an east-west gateway, and every gateway with an address works: a Service with the label topology.istio.io/network (or a Gateway of the Gateway API, or a gateway in meshNetworks) with an address for the other networks and with ready pods. The address comes from a load balancer, from spec.externalIPs, or from the nodes that the annotation ${nodeSelectorAnnotation} selects. Clusters on a single network do not require one, except that Istio 1.6 and 1.7 with mesh expansion require the ingress gateway for machines outside the cluster.`,
  breaks:
    'istiod does not give proxies in other networks the endpoints in this one: requests that should go there fail or stay in the local network, with no other symptom.',
  byHand:
    'kubectl --context "$CTX" get service --all-namespaces -l topology.istio.io/network -L topology.istio.io/network\nistioctl --context "$CTX" proxy-config endpoints DEPLOYMENT -n NAMESPACE | grep 15443   # from a workload of another network',
  fix: "Run `kubectl mesh install render CLUSTER`, then `kubectl mesh install apply CLUSTER`, which install the gateway and wait for its address. In a remote, install it with the suggested command, where $ISTIO is the unpacked Istio release, as in Istio's guide, and expose services with $ISTIO/samples/multicluster/expose-services.yaml. If the address stays pending, the events of the Service show the cause. Without a load balancer, use spec.externalIPs, or a NodePort with the annotation.",
  source:
    'istio/istio pilot/pkg/serviceregistry/kube/controller/network.go, pilot/pkg/serviceregistry/kube/conversion.go; istio.io: setup/install/multicluster/multi-primary_multi-network',
});

/** The facts of one cluster. */
interface ClusterGateways {
  readonly cluster: MeshCluster;
  readonly gateways: readonly NetworkGatewayFacts[];
  readonly controlPlanes: readonly ControlPlaneFacts[];
}

function judgeNetworks(clusters: readonly ClusterGateways[], subject: CheckSubject): Judgement {
  const members = clusters.filter(({cluster}) => cluster.network !== undefined);
  const findings = members.flatMap((one) => {
    // A gateway leads to all clusters of its network.
    const {network} = one.cluster;
    const clusters = subject.mesh.clusters.filter((other) => other.network === network).map(({name}) => name);
    return findingsOf(one, members, subject).map((finding) => ({...finding, clusters}));
  });
  const working = members.flatMap(({gateways}) => gateways.filter((gateway) => problemOf(gateway) === undefined));
  return findingsOr(
    findings,
    working.length === 0
      ? notApplicable('the other clusters of these networks were not checked')
      : ok(working.map(({network, addresses}) => `${network}: ${addresses.join(', ')}`).join('; ')),
  );
}

function findingsOf(
  one: ClusterGateways,
  members: readonly ClusterGateways[],
  subject: CheckSubject,
): readonly Finding[] {
  const {cluster, gateways} = one;
  const {network = ''} = cluster;
  const own = gateways.filter((gateway) => gateway.network === network);
  if (own.some((gateway) => problemOf(gateway) === undefined)) {
    return own.filter(isUsed).flatMap((gateway) => {
      const problem = problemOf(gateway);
      return problem === undefined
        ? []
        : [{observed: `${cluster.name}: ${problem}`, fix: fixFor(gateway, one, subject)}];
    });
  }
  const siblings = members.filter((other) => other !== one && other.cluster.network === network);
  // istiod uses any gateway of the network, in whichever cluster.
  const isServed = siblings.some(({gateways: siblingGateways}) =>
    siblingGateways.some((gateway) => gateway.network === network && problemOf(gateway) === undefined),
  );
  if (own.length > 0) {
    return own.map((gateway) => ({
      // istiod sends requests for the cluster to its own gateway, if it uses one (istio/istio pilot/pkg/xds/endpoints/ep_filters.go,
      // selectNetworkGateways).
      severity: isServed && !isUsed(gateway) ? 'warning' : 'error',
      observed: `${cluster.name}: ${problemOf(gateway) ?? ''}`,
      fix: fixFor(gateway, one, subject),
    }));
  }
  const declared = subject.mesh.clusters.filter((other) => other.network === network && other.name !== cluster.name);
  // Clusters that were not checked may have one.
  if (isServed || declared.length > siblings.length) return [];
  const foreign = gateways.map((gateway) => `${nameOf(gateway)} is for ${gateway.network}`);
  const observed = [`${cluster.name}: no gateway for ${network}`, ...(foreign.length > 0 ? [foreign.join(', ')] : [])];
  return [{observed: observed.join(': '), fix: installFix(one, subject)}];
}

/** Istio 1.6 and 1.7 with mesh expansion: machines outside the cluster connect through the gateway in meshNetworks. */
function judgeOneNetwork(clusters: readonly ClusterGateways[], subject: CheckSubject): Judgement {
  const lacksLabel = ({version}: ControlPlaneFacts): boolean => !hasFeature(version, 'networkLabel');
  const old = clusters.filter(({controlPlanes}) => controlPlanes.some(lacksLabel));
  const named = old.flatMap((one) => one.gateways.map((gateway) => ({one, gateway})));
  if (named.length === 0) return notApplicable('all clusters are on one network: no east-west gateway is required');
  const findings = named.map(({one, gateway}): Finding | undefined => {
    const problem = problemOf(gateway);
    if (problem === undefined) return undefined;
    // Traffic between clusters of one network does not use it.
    const severity = gateway.exists ? 'warning' : 'error';
    return {severity, observed: `${one.cluster.name}: ${problem}`, fix: fixFor(gateway, one, subject)};
  });
  return findingsOr(
    findings,
    ok(named.map(({gateway}) => `${nameOf(gateway)}: ${gateway.addresses.join(', ')}`).join('; ')),
  );
}

/** Whether istiod gives the gateway to other networks, whatever its pods do: it then gets a share of the requests. */
function isUsed({exists, addresses, listens}: NetworkGatewayFacts): boolean {
  return exists && addresses.length > 0 && listens;
}

/** Why other networks cannot use it; undefined if they can. */
function problemOf(gateway: NetworkGatewayFacts): string | undefined {
  const name = nameOf(gateway);
  if (!gateway.exists) return `${name}, which meshNetworks refers to, does not exist`;
  if (gateway.addresses.length === 0) return `${name} has no address${noAddressReason(gateway)}`;
  if (!gateway.listens) return `${name} listens on neither port 15443 nor 15008`;
  const {pods} = gateway;
  if (pods === undefined) return undefined;
  if (pods.every(({gone}) => gone)) return `${name} selects no pod`;
  const [problem] = workloadProblems({name, desired: 1, pods, env: {}});
  return pods.some(({ready, gone}) => ready && !gone)
    ? undefined
    : `${name}: ${problem?.observed ?? 'no pod is ready'}`;
}

/** An unready pod of a gateway that has an address; undefined if it selects none. */
function unreadyPod({pods = []}: NetworkGatewayFacts): PodFacts | undefined {
  return pods.find(({ready, gone}) => !ready && !gone);
}

function noAddressReason({serviceType, declaredBy}: NetworkGatewayFacts): string {
  if (declaredBy === 'Gateway') return '';
  if (serviceType === 'LoadBalancer') return ': its load balancer is pending';
  if (serviceType === 'NodePort') return `: it is of type NodePort without the annotation ${nodeSelectorAnnotation}`;
  return `: it is of type ${serviceType}`;
}

function nameOf({declaredBy, namespace, name}: NetworkGatewayFacts): string {
  return namespace === '' ? name : `${declaredBy === 'Gateway' ? 'Gateway' : 'Service'} ${namespace}/${name}`;
}

function fixFor(gateway: NetworkGatewayFacts, one: ClusterGateways, subject: CheckSubject): Suggestion {
  const {cluster} = one;
  const {namespace} = gateway;
  const service = `service/${gateway.name}`;
  const describe = inspectWith.kubectl(cluster, words`-n ${namespace} describe ${service}`);
  if (!gateway.exists) return reinstallFix({cluster});
  if (gateway.addresses.length > 0) {
    if (!gateway.listens)
      return gateway.declaredBy === 'Service' ? addPort(gateway, cluster) : installFix(one, subject);
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

/**
 * Gives the port its number again, or adds it. istioctl cannot do that if a port with its name has another number: names of ports are
 * unique in a Service.
 */
function addPort({namespace, name, renumberedPort}: NetworkGatewayFacts, cluster: MeshCluster): Suggestion {
  const path = `/spec/ports/${String(renumberedPort)}`;
  const patch =
    renumberedPort === undefined
      ? [
          {
            op: 'add',
            path: '/spec/ports/-',
            value: {name: mtlsPortName, port: mtlsPort, targetPort: mtlsPort, protocol: 'TCP'},
          },
        ]
      : [
          {op: 'test', path: `${path}/name`, value: mtlsPortName},
          {op: 'replace', path: `${path}/port`, value: mtlsPort},
        ];
  return fixWith.kubectl(cluster, words`-n ${namespace} patch service/${name} --type=json -p ${JSON.stringify(patch)}`);
}

/**
 * `install apply` for a primary; a remote's gateway is not rendered, so the fix is the command of Istio's guide. Before 1.12 its script
 * requires mesh and cluster; later versions still accept them.
 */
function installFix({cluster, controlPlanes}: ClusterGateways, {mesh}: Pick<CheckSubject, 'mesh'>): Suggestion {
  if (cluster.role === 'primary') return reinstallFix({cluster});
  const {network = ''} = cluster;
  const revision = controlPlanes.find((one) => one.revision !== 'default')?.revision;
  const isDefault = controlPlanes.some((one) => one.revision === 'default');
  const generateManifest = inspectWith.run(new Variable('ISTIO', '/samples/multicluster/gen-eastwest-gateway.sh'), [
    ...(mesh.meshID === undefined ? [] : ['--mesh', mesh.meshID]),
    ...['--cluster', istioNameOf(cluster), '--network', network],
    ...(revision === undefined || isDefault ? [] : ['--revision', revision]),
  ]);
  const {namespace} = mesh.istio;
  const overrides = namespace === 'istio-system' ? [] : words`--set values.global.istioNamespace=${namespace}`;
  return pipe(generateManifest, fixWith.istioctl(cluster, words`install -y -f - ${overrides}`));
}

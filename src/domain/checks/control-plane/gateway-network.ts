import {networkLabel, networkViewVariable, proxyNetworkVariable} from '../../istio/names.js';
import type {EastWestGatewayFacts, GatewayPod} from '../../facts/facts.js';
import {some} from '../../format.js';
import {describeRef} from '../../kube/paths.js';
import {fixWith, inspectWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, type ClusterSubject, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {reinstallFix} from '../fixes.js';

/** An east-west gateway, its pods and the cluster are on the same network. */
export const gatewayNetworkCheck = apiServerCheck({
  id: 'MESH421',
  title: 'The east-west gateway is on the network that its Service names',
  requires: ['eastWestGateways'],
  // The network of the pods may have no other gateway than one with another label.
  implies: ['MESH411', 'MESH601'],
  explains: 'requests to it',
  judge: ({eastWestGateways}, subject) => {
    const {network} = subject.cluster;
    const judged = eastWestGateways.filter(({pods}) => pods.length > 0);
    if (network === undefined || judged.length === 0) return notApplicable('no Service selects pods of a gateway here');
    const findings = judged.flatMap((gateway) => [
      labelFinding(gateway, network, subject),
      ...podFindings(gateway, subject),
    ]);
    return findingsOr(
      findings,
      ok(judged.map((gateway) => `${describeRef({kind: 'Service', ...gateway})}: ${gateway.network}`).join(', ')),
    );
  },
  expected: "one network for the gateway's Service and its pods, whose endpoints the gateway gets",
  meaning: `The label ${networkLabel} of each Service that istiod uses as a gateway names the network of the pods behind it: their ${proxyNetworkVariable} or network label or, without these, the cluster's network. If ${networkViewVariable} is set, it includes that network. A second gateway in the cluster must meet this as well: istiod distributes requests over all gateways that the cluster has on a network.`,
  breaks:
    'istiod sends requests for another network to this gateway, which cannot reach its endpoints, or the gateway has no endpoints of its own network: these requests fail, if there are several gateways only some of them.',
  byHand: `kubectl --context "$CTX" get service --all-namespaces -l ${networkLabel} -L ${networkLabel}\nkubectl --context "$CTX" -n istio-system get pod -l istio=eastwestgateway -o jsonpath='{.items[*].spec.containers[*].env}' | grep -o '"ISTIO_META_[A-Z_]*NETWORK[A-Z_]*","value":"[^"]*"'`,
  fix: 'Set the label to the network of the pods, or remove it from a Service that is not a gateway between networks. Install the gateway again if its environment names another network.',
  source:
    'istio/istio pilot/pkg/serviceregistry/kube/controller/network.go, pilot/pkg/xds/endpoints/ep_filters.go (selectNetworkGateways), pilot/pkg/model/proxy_view.go, samples/multicluster/gen-eastwest-gateway.sh',
});

/** The pods are on another network than the one that the Service leads to. */
function labelFinding(gateway: EastWestGatewayFacts, own: string, {cluster}: ClusterSubject): Finding | undefined {
  const {namespace, name, network, pods} = gateway;
  const networks = [...new Set(pods.map((pod) => pod.network ?? own))];
  const [actual, ...others] = networks;
  // Pods on the cluster's network, whatever the Service's label. Other mismatches are those of single pods.
  if (actual === undefined || others.length > 0 || actual === network || actual !== own) return undefined;
  const service = `service/${name}`;
  return {
    observed: `${describeRef({kind: 'Service', ...gateway})} is labeled ${network}, its pods are on ${actual}`,
    fix: fixWith.kubectl(cluster, words`-n ${namespace} label ${service} ${networkLabel}=${actual} --overwrite`),
  };
}

function podFindings(gateway: EastWestGatewayFacts, subject: ClusterSubject): readonly (Finding | undefined)[] {
  const {network: own = ''} = subject.cluster;
  // Reported by the label.
  const isMislabeled = gateway.network !== own && gateway.pods.every((pod) => (pod.network ?? own) === own);
  const network = isMislabeled ? own : gateway.network;
  const elsewhere = gateway.pods.filter((pod) => (pod.network ?? own) !== network);
  const blind = gateway.pods.filter(({view}) => view !== undefined && !view.includes(network));
  return [
    finding(elsewhere, (pod) => `is on ${pod.network ?? own}, not on ${gateway.network}`, gateway, subject),
    finding(
      blind,
      ({view = []}) => `gets endpoints of ${view.join(', ')} only, not of ${gateway.network}`,
      gateway,
      subject,
    ),
  ];
}

function finding(
  pods: readonly GatewayPod[],
  what: (pod: GatewayPod) => string,
  gateway: EastWestGatewayFacts,
  subject: ClusterSubject,
): Finding | undefined {
  const [first] = pods;
  if (!first) return undefined;
  const {cluster, mesh} = subject;
  const isRendered = gateway.isInstalled && cluster.role === 'primary' && gateway.namespace === mesh.istio.namespace;
  return {
    observed: `${some(pods.map(({name}) => name))} of ${describeRef({kind: 'Service', ...gateway})} ${what(first)}`,
    fix: isRendered
      ? reinstallFix(subject)
      : inspectWith.kubectl(cluster, words`-n ${gateway.namespace} describe pod ${first.name}`),
    implies: [],
  };
}

/** What failed requests state, and what shows their cause: shared by the checks of traffic. */
import type {SuspectPolicy, TrafficFacts} from '../../facts/facts.js';
import {some} from '../../format.js';
import {controlPlaneClusterOf, type MeshCluster} from '../../mesh/mesh.js';
import {inspectWith, kubectlMesh, type Suggestion, words} from '../../suggest/suggestion.js';
import {failureKind, type FailureKind} from '../../traffic/failure.js';
import {trafficNamespace} from '../../traffic/names.js';
import type {ClusterSubject, Finding} from '../check.js';

/** The two ends of requests. */
export interface Route {
  readonly from: MeshCluster;
  readonly to: MeshCluster;
}

/** `10 of 10 requests answered` */
export function answeredText({answered, requests}: TrafficFacts): string {
  return `${String(answered)} of ${String(requests)} requests answered`;
}

/** The finding about requests of which not all were answered. */
export function failedRequests(traffic: TrafficFacts, route: Route, subject: ClusterSubject): Finding {
  const {failures, policies = []} = traffic;
  const shown: FailureKind = failureKind(failures);
  // Without mutual TLS no client has an identity, so the pods' own policy denies its requests.
  const isPlain = ['denied', 'connection'].includes(shown) && policies.some((one) => one.kind === 'PeerAuthentication');
  const kind = isPlain ? 'plain text' : shown;
  const texts = failures.map(
    ({text, count}) => `${String(count)} × ${text === '' ? 'an empty response' : `"${text}"`}`,
  );
  const wanted = policyKinds[kind];
  const named = policies.filter((policy) => policy.kind === wanted).map(({name}) => `${wanted ?? ''} ${name}`);
  const policy = named.length === 0 ? '' : ` (${some(named)})`;
  return {
    kind,
    observed: `${answeredText(traffic)}: ${causes[kind](route)}${policy}: ${some(texts)}`,
    fix: inspections[kind](route, subject),
    causes: possibleCauses[kind],
  };
}

/** The kind of policy that causes a failure. */
const policyKinds: Readonly<Partial<Record<FailureKind, SuspectPolicy['kind']>>> = {
  denied: 'AuthorizationPolicy',
  'plain text': 'PeerAuthentication',
};

/** The most probable cause, where no other check has found it. */
const causes: Readonly<Record<FailureKind, (route: Route) => string>> = {
  denied: ({to}) => `an AuthorizationPolicy in ${to.name} denies them`,
  'no endpoint': ({from, to}) => `the proxy in ${from.name} has no endpoint in ${to.name}`,
  'plain text': ({to}) => `pods in ${to.name} accept plain text only, as a PeerAuthentication with mode DISABLE causes`,
  certificate: ({from, to}) => `${from.name} and ${to.name} do not accept each other's certificates`,
  connection: ({to}) => `the connection to ${to.name} failed`,
  timeout: ({to}) => `no response from ${to.name} in time`,
  'wrong pod': () => 'another pod answers',
  other: () => 'unexpected responses',
};

/**
 * The checks that can have found the cause; absent: all. A response of the other side's proxy or pod proves that the connection and its
 * certificates are right.
 */
const possibleCauses: Readonly<Record<FailureKind, readonly string[] | undefined>> = {
  denied: [],
  'plain text': [],
  'wrong pod': ['MESH422'],
  'no endpoint': ['MESH1', 'MESH2', 'MESH4', 'MESH5'],
  certificate: ['MESH1', 'MESH2', 'MESH3', 'MESH4'],
  connection: undefined,
  timeout: undefined,
  other: undefined,
};

/** What shows more about a cause. */
const inspections: Readonly<Record<FailureKind, (route: Route, subject: ClusterSubject) => Suggestion>> = {
  denied: ({to}, {mesh}) =>
    inspectWith.kubectl(
      controlPlaneClusterOf(to, mesh),
      words`get authorizationpolicies.security.istio.io --all-namespaces`,
    ),
  'no endpoint': ({from, to}) => kubectlMesh('verify', [...pair(from, to), '--only', 'MESH4,MESH5']),
  'plain text': ({to}, {mesh}) =>
    inspectWith.kubectl(
      controlPlaneClusterOf(to, mesh),
      words`get peerauthentications.security.istio.io --all-namespaces`,
    ),
  certificate: ({from, to}) => kubectlMesh('verify', [...pair(from, to), '--only', 'MESH3']),
  connection: ({to}, {mesh}) =>
    inspectWith.kubectl(to, words`-n ${mesh.istio.namespace} get services,gateways.networking.istio.io -o wide`),
  timeout: ({to}, {mesh}) => inspectWith.kubectl(to, words`-n ${mesh.istio.namespace} get services -o wide`),
  'wrong pod': ({to}) => inspectWith.kubectl(to, words`-n ${trafficNamespace} get services,pods -o wide`),
  other: ({to}) =>
    inspectWith.kubectl(to, words`get networkpolicies,destinationrules.networking.istio.io --all-namespaces`),
};

function pair(from: MeshCluster, to: MeshCluster): readonly string[] {
  return [...new Set([from.name, to.name])];
}

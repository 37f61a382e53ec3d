import {PerCluster, type TrafficFacts, type TrafficFailure} from '../../../../../src/domain/facts/facts.js';
import {known} from '../../../../../src/domain/observed.js';
import type {Overrides} from '../../healthy.js';
import type {Fault} from '../builders.js';

/** Requests that failed with a text, as the only ones. */
export function failed(text: string, change: Partial<TrafficFailure & TrafficFacts> = {}): TrafficFacts {
  const {isResponse = true, count = 3, policies} = change;
  return {requests: 3, answered: 3 - count, failures: [{text, isResponse, count}], ...(policies && {policies})};
}

/** Requests from cluster1 to cluster2 led to this. */
export const toPeer = (facts: TrafficFacts): Overrides => ({
  cluster1: {traffic: new PerCluster([{name: 'cluster2', observed: known(facts)}])},
});

const reset = 'upstream connect error or disconnect/reset before headers. reset reason: connection termination';

export const trafficFaults: readonly Fault[] = [
  ['no request to the peer is answered', toPeer(failed(reset)), ['MESH601 error']],
  ['one of three requests to the peer is not answered', toPeer(failed(reset, {count: 1})), ['MESH601 error']],
  [
    'a policy denies requests to the peer',
    toPeer(failed('RBAC: access denied', {policies: [{kind: 'AuthorizationPolicy', name: 'istio-system/deny-all'}]})),
    ['MESH601 error'],
  ],
  ['a proxy has no endpoint in the peer', toPeer(failed('no healthy upstream')), ['MESH601 error']],
  [
    "a proxy rejects the peer's certificate",
    toPeer(failed(`${reset}, transport failure reason: TLS_error: CERTIFICATE_VERIFY_FAILED`)),
    ['MESH601 error'],
  ],
  [
    'pods in the peer accept plain text only',
    toPeer(failed(`${reset}, transport failure reason: TLS_error:|268435703:SSL routines::WRONG_VERSION_NUMBER`)),
    ['MESH601 error'],
  ],
  [
    'a policy ends mutual TLS in the peer, so that no client has an identity there',
    toPeer(failed('RBAC: access denied', {policies: [{kind: 'PeerAuthentication', name: 'kubectl-mesh-traffic/off'}]})),
    ['MESH601 error'],
  ],
  ['another pod answers', toPeer(failed('echo-1-2')), ['MESH601 error']],
  ['the response is not that of a proxy', toPeer(failed('<html>blocked</html>')), ['MESH601 error']],
  [
    'the client gets no response in time',
    toPeer(failed('context deadline exceeded', {isResponse: false})),
    ['MESH601 error'],
  ],
  ['requests within a cluster are not answered', {cluster1: {localTraffic: failed(reset)}}, ['MESH602 error']],
];

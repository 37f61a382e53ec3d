import {ok, trafficCheck} from '../check.js';
import {answeredText, failedRequests} from './failed-requests.js';

/** The same within a cluster: a failure there is not one of the mesh. */
export const answeredHereCheck = trafficCheck({
  id: 'MESH602',
  title: 'Requests within the cluster are answered',
  requires: ['localTraffic'],
  expected: 'every request answered by a pod of the same cluster',
  judge: ({localTraffic}, subject) =>
    localTraffic.answered === localTraffic.requests
      ? ok(answeredText(localTraffic))
      : failedRequests(localTraffic, {from: subject.cluster, to: subject.cluster}, subject),
  meaning:
    'A pod in the cluster sends requests to a Service of the same cluster, with mutual TLS required, and each response is the name of its pod. Only with --traffic.',
  breaks:
    'Proxies of the cluster do not reach each other: a policy, a DestinationRule or a NetworkPolicy of the cluster refuses, or its istiod does not configure them. Requests from other clusters fail for the same reason.',
  byHand: `kubectl --context "$CTX" -n sample exec deploy/sleep -c sleep -- curl -sv helloworld.sample:5000/hello`,
  fix: 'The responses of the proxy show the most probable cause: the suggested command shows more about it.',
  source: 'istio.io: docs/ops/common-problems/network-issues',
});

import {ok, trafficCheck} from '../check.js';
import {answeredText, failedRequests} from './failed-requests.js';

/** Requests from one cluster to a Service of another are answered there. */
export const answeredCheck = trafficCheck({
  id: 'MESH601',
  title: 'Requests to the other cluster are answered',
  scope: 'pair',
  appliesTo: 'reached pairs',
  requires: ['traffic'],
  sides: {traffic: 'self'},
  expected: 'every request answered by a pod of the other cluster',
  judge: ({traffic: {self: traffic}}, subject) =>
    traffic.answered === traffic.requests
      ? ok(answeredText(traffic))
      : failedRequests(traffic, {from: subject.cluster, to: subject.peer}, subject),
  meaning:
    'A pod in the cluster sends requests to a Service that only a pod of the other cluster belongs to, with mutual TLS required, and each response is the name of that pod. Only with --traffic.',
  breaks:
    'Workloads of the cluster do not reach those of the other one, or only some of their requests do. Where a Service also has pods in their own cluster, nothing fails visibly: these answer alone.',
  byHand: `kubectl --context "$CTX" -n sample exec deploy/sleep -c sleep -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do curl -s helloworld.sample:5000/hello; done'   # of Istio's guide "Verify the installation"`,
  fix: 'Where another check found the cause, the row names it: fix that first. Otherwise, the responses of the proxy show the most probable cause: the suggested command shows more about it.',
  source:
    'istio.io: docs/setup/install/multicluster/verify; kubernetes/kubernetes test/images/agnhost/netexec/netexec.go (dialHandler)',
});

import {onePhase} from '../../engine/operation.js';
import {concludeClusters} from '../../engine/report.js';
import {gatherPush, type PushRequest} from './gather-push.js';
import {planChanges, type TrustFacts, type TrustPlan} from './plan-changes.js';
import {type PushResult, reportChanges} from './report-changes.js';

/** `trust push`: writes the namespace, its network label, and Secret `cacerts`. */
export const pushTrust = onePhase<PushRequest, PushResult, TrustFacts, TrustPlan>({
  command: 'trust push',
  changes: true,
  title: () => 'read the clusters',
  // Istiods are queried only if restarts are allowed: only then does the answer matter.
  gather: (deps, request, settings) => gatherPush(deps, request, settings, request.restartIstiod),
  plan: (facts, request) => planChanges(facts, request),
  report: reportChanges,
  conclude: ({clusters}) => concludeClusters(clusters),
});

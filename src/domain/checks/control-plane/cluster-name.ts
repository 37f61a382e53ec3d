import type {ControlPlaneFacts} from '../../facts/facts.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {Suggestion} from '../../suggest/suggestion.js';
import {apiServerCheck, type ClusterSubject, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {declareAndRestoreFix, declareNameFix, restoreIstiodFix, showNamesFix} from '../name-fixes.js';

/** istiod runs with the cluster name in mesh.yaml. */
export const clusterNameCheck = apiServerCheck({
  id: 'MESH404',
  title: 'istiod runs with the declared clusterName',
  requires: ['controlPlanes'],
  implies: ['MESH412', 'MESH5', 'MESH6'],
  judge: ({controlPlanes}, subject) => {
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    const declared = istioNameOf(subject.cluster);
    const expected = `clusterName ${declared}`;
    const findings = controlPlanes.map(({workload: {name}, ...one}): Finding | undefined => {
      if (one.clusterID === declared) return undefined;
      if (one.clusterID === undefined) {
        const observed = `${name} takes its clusterName from another object, which is not read`;
        return {observed, expected, isUnproven: true, fix: showNamesFix(subject)};
      }
      const observed = `${name} has clusterName ${one.clusterID}`;
      return {observed, expected, fix: fixFor(name, one, one.clusterID, controlPlanes, subject)};
    });
    return findingsOr(findings, ok(controlPlanes.map(({workload}) => workload.name).join(', '), expected));
  },
  meaning:
    'The environment variable CLUSTER_ID of every running istiod is the cluster name in mesh.yaml: istioName, otherwise name. If it is not set, the name is Kubernetes.',
  breaks:
    'Proxies send this name when they request certificates, and remote secrets are keyed by it: a different name causes "client claims to be in cluster …". `install apply` refuses an install.yaml with a name other than the running one.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment istiod -o jsonpath="{.spec.template.spec.containers[0].env[?(@.name==\'CLUSTER_ID\')].value}"',
  fix: 'Declare the name that istiod and its proxies use, as istioName in mesh.yaml: a running cluster must keep it, because istiod rejects proxies under another name as soon as they renew their certificates. If only istiod was changed, the suggested command restores its name. If another cluster of the mesh has the name as well, the suggested command shows the names of all proxies; rename one of the clusters with its installer, and restart all its workloads.',
  source:
    'istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml, security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go',
});

/** The proxies' name decides: those are rejected under any other one. */
function fixFor(
  istiod: string,
  {proxyClusterID = ''}: Pick<ControlPlaneFacts, 'proxyClusterID'>,
  running: string,
  all: readonly ControlPlaneFacts[],
  subject: ClusterSubject,
): Suggestion {
  const declared = istioNameOf(subject.cluster);
  if (proxyClusterID === declared) return restoreIstiodFix(subject, istiod, declared);
  // Another revision has the declared name: declaring this one would only exchange the two.
  if (all.some(({clusterID}) => clusterID !== running)) return showNamesFix(subject);
  return proxyClusterID === '' || proxyClusterID === running
    ? declareNameFix(subject, running)
    : declareAndRestoreFix(subject, istiod, proxyClusterID);
}

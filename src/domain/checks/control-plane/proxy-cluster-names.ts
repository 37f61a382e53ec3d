import type {ControlPlaneFacts, GatewayFacts} from '../../facts/facts.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import {apiServerCheck, type ClusterSubject, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {reinstallFix} from '../fixes.js';
import {restoreGatewayFix, restoreIstiodFix, showNamesFix} from '../name-fixes.js';

/** istiods, the proxies that they configure, and gateways use one cluster name. */
export const proxyClusterNamesCheck = apiServerCheck({
  id: 'MESH418',
  title: 'istiod and the proxies of its cluster use one clusterName',
  requires: ['controlPlanes', 'gateways'],
  // Whatever mesh.yaml declares, it is not the name of both.
  implies: ['MESH404', 'MESH412'],
  expected: 'one clusterName of istiod and proxies',
  judge: ({controlPlanes, gateways}, subject) => {
    const names = new Set(controlPlanes.flatMap(({clusterID}) => clusterID ?? []));
    if (names.size === 0) return notApplicable('no istiod with a known clusterName runs here');
    return findingsOr(
      [
        ...controlPlanes.map((one) => ofProxies(one, subject)),
        differentRevisions(controlPlanes, names, subject),
        ...gateways.map((one) => ofGateway(one, controlPlanes, names, subject)),
      ],
      ok(`clusterName ${[...names].join(', ')}`),
    );
  },
  meaning:
    "For every istiod, CLUSTER_ID is values.global.multiCluster.clusterName in its ConfigMap istio-sidecar-injector, which injected proxies send as their cluster. Revisions of istiod have the same clusterName, and the variable ISTIO_META_CLUSTER_ID of gateways has istiod's. Proxies that were injected with earlier values are not read.",
  breaks:
    'istiod rejects proxies that name a cluster other than its own or one of its remote secrets ("client claims to be in cluster …"): new pods do not start, and running ones fail when their certificates expire, within a day by default.',
  byHand: [
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..env[?(@.name==\'CLUSTER_ID\')].value}"',
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep clusterName',
  ].join('\n'),
  fix: 'Restore the name that most of the proxies use. The suggested command restores the part that differs from mesh.yaml. Restart the workloads that were injected with another name meanwhile.',
  source:
    'istio/istio security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go (getKubeClient), manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (ISTIO_META_CLUSTER_ID)',
});

/** An istiod that rejects the proxies that it configures. */
function ofProxies(
  {workload, clusterID, proxyClusterID}: ControlPlaneFacts,
  subject: ClusterSubject,
): Finding | undefined {
  if (clusterID === undefined || proxyClusterID === undefined || clusterID === proxyClusterID) return undefined;
  return {
    observed: `${workload.name} has clusterName ${clusterID}, but configures proxies with ${proxyClusterID}`,
    // An installation under istiod's own name restores the values of the injector.
    fix:
      clusterID === istioNameOf(subject.cluster)
        ? reinstallFix(subject)
        : restoreIstiodFix(subject, workload.name, proxyClusterID),
  };
}

function differentRevisions(
  controlPlanes: readonly ControlPlaneFacts[],
  names: ReadonlySet<string>,
  subject: ClusterSubject,
): Finding | undefined {
  if (names.size < 2) return undefined;
  const list = controlPlanes.map(({workload, clusterID = 'an unknown one'}) => `${workload.name} ${clusterID}`);
  return {observed: `istiods have different clusterNames: ${list.join(', ')}`, fix: showNamesFix(subject)};
}

/** A gateway with a name of its own: the injector's was judged above. */
function ofGateway(
  {workload, clusterID}: GatewayFacts,
  controlPlanes: readonly ControlPlaneFacts[],
  names: ReadonlySet<string>,
  subject: ClusterSubject,
): Finding | undefined {
  const isKnown = names.has(clusterID ?? '') || controlPlanes.some((one) => one.proxyClusterID === clusterID);
  // An istiod with an unknown name may accept it.
  if (clusterID === undefined || isKnown || controlPlanes.some((one) => one.clusterID === undefined)) return undefined;
  const [istiod = '', ...others] = names;
  return {
    observed: `${workload.name} has clusterName ${clusterID}, and istiod ${[istiod, ...others].join(' or ')}`,
    // Only the gateway is wrong: istiod may well have the declared name.
    implies: [],
    fix: others.length > 0 ? showNamesFix(subject) : restoreGatewayFix(subject, workload.name, istiod),
  };
}

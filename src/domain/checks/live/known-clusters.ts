import {inspectWith, pipe, words} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import type {IstiodClusters, KnownCluster, PodPart} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {istioNameOf} from '../../mesh/istio-name.js';

/** What each istiod reports about its own cluster. */
export const knownClustersCheck = istiodCheck({
  id: 'MESH412',
  title: 'Every istiod uses the declared cluster name and has synced its own cluster',
  requires: ['istiodClusters'],
  judge: ({istiodClusters}, subject) => {
    if (istiodClusters.length === 0) return notApplicable('no istiod runs here');
    const reporting = istiodClusters.filter(({value}) => value.known !== undefined);
    if (reporting.length === 0) return notApplicable('requires /debug/clusterz, which istiod has since 1.11');
    const listing = reporting.filter(({value}) => value.listsItself);
    if (listing.length === 0) return notApplicable('istiod lists its own cluster since 1.22');
    const findings = listing.flatMap((pod) => [ownName(pod, subject), notSynced(pod, subject)]);
    const expected = `own cluster ${istioNameOf(subject.cluster)}, ${synced}`;
    return findingsOr(findings, ok(listing.map(({name}) => name).join(', '), expected));
  },
  meaning:
    'The endpoint /debug/clusterz of every istiod pod lists its own cluster under the declared clusterName, and reports it as synced (since Istio 1.22).',
  breaks:
    "If the state is not synced, istiod has not read the services of its own cluster, and proxies get no endpoints of them. If istiod's own cluster has a different name, proxies and remote secrets use a name that this istiod does not have.",
  byHand:
    'istioctl remote-clusters --context "$CTX"\nkubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/debug/clusterz',
  fix: "If the name differs although MESH404 is ok, compare the pod's CLUSTER_ID and arguments with the Deployment. If the cluster is not synced, istiod's log shows what it waits for.",
  source:
    'istio/istio pkg/kube/multicluster/secretcontroller.go (ListRemoteClusters), pkg/kube/multicluster/cluster.go (states), pilot/pkg/xds/debug.go',
});

/** Whether a row is about istiod's own cluster: rows of remote clusters have a Secret. */
function isOwn({secretName}: KnownCluster): boolean {
  return secretName === '';
}

function ownName({name, value}: PodPart<IstiodClusters>, subject: ClusterSubject): Finding | undefined {
  const own = value.known?.find(isOwn);
  const {cluster, mesh} = subject;
  const declared = istioNameOf(cluster);
  if (own?.id === declared) return undefined;
  return {
    observed: own ? `${name} names its own cluster ${own.id}` : `${name} does not list its own cluster`,
    expected: `its own cluster ${declared}`,
    // MESH404 judges the Deployment: this pod was started from another version of it, or with another argument.
    fix: inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe pod/${name}`),
  };
}

function notSynced({name, value}: PodPart<IstiodClusters>, {cluster, mesh}: ClusterSubject): Finding | undefined {
  const own = value.known?.find(isOwn);
  if (!own || own.status === synced) return undefined;
  return {
    observed: `${name} reports its own cluster ${own.id} as ${own.status}`,
    expected: `cluster ${own.id} ${synced}`,
    fix: pipe(
      inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} logs -l app=istiod --tail=-1`),
      inspectWith.run('grep', words`-i -e ${own.id} -e failed`),
    ),
  };
}

import {fixWith, inspectWith, pipe, sequence, type Suggestion, words} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import type {ControlPlaneFacts, IstiodClusters, IstiodMetrics, KnownCluster, PodPart} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {remoteSecretDefects} from '../../istio/remote-secret-defects.js';
import {affects} from '../../istio/since.js';
import {canCreateRemoteSecret, clusterOfIstioName, istioNameOf} from '../../mesh/istio-name.js';
import {controlPlaneOf, runningVersions} from '../control-plane/running-versions.js';
import {restartFix} from '../fixes.js';

/** What each istiod reports about its own cluster and the clusters of its remote secrets. */
export const knownClustersCheck = istiodCheck({
  id: 'MESH412',
  title: 'Every istiod uses the declared cluster name and has synced all its clusters',
  requires: ['istiodClusters', 'controlPlanes'],
  optional: ['istiodMetrics'],
  judge: ({istiodClusters, controlPlanes, istiodMetrics = []}, subject) => {
    if (istiodClusters.length === 0) return notApplicable('no istiod runs here');
    const reporting = istiodClusters.filter(({value}) => value.known !== undefined);
    if (reporting.length === 0) return notApplicable('requires /debug/clusterz, which istiod has since 1.11');
    const findings = reporting.flatMap((pod) => {
      const controlPlane = controlPlaneOf(pod.name, controlPlanes);
      const losing = controlPlane && losesEndpoints(controlPlane, istiodMetrics) ? [controlPlane.workload.name] : [];
      return [ownName(pod, subject), ...notSynced(pod, losing, subject)];
    });
    const known = reporting.map(
      ({name, value}) => `${name}: ${(value.known ?? []).map(({id}) => id).join(', ') || 'no other cluster'}`,
    );
    return findingsOr(
      findings,
      ok(known.join('; '), `own cluster ${istioNameOf(subject.cluster)}, every cluster ${synced}`),
    );
  },
  meaning:
    'The endpoint /debug/clusterz of every istiod pod lists its own cluster under the declared clusterName (since Istio 1.22), and reports its own cluster and those of all remote secrets as synced.',
  breaks:
    "If a cluster's state is syncing, istiod has not read its services yet. If the state is timeout, istiod could not read them within PILOT_REMOTE_CLUSTER_TIMEOUT (default: 30s) and serves without them, so requests never reach that cluster. If istiod's own cluster has a different name, proxies and remote secrets use a name that this istiod does not know.",
  byHand:
    'istioctl remote-clusters --context "$CTX"\nkubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/debug/clusterz',
  fix: "For a cluster in the state timeout or closed, find the cause in istiod's log, check that the istiod pod can reach the server in the remote secret, then recreate the remote secret. The suggested command prints the server address in the Secret and replaces it with the one in your kubeconfig: if the old address was correct (set with `--server`, for example), add `--server ADDRESS`; if GitOps manages the Secret, change it there. Restart an istiod of 1.30.0 to 1.30.3 after every change of a remote secret (MESH410, endpoints-lost). If the Secret's name is not the one that istioctl gives it, fix the Secret with the tool that created it. If the cluster no longer exists, delete its remote secret. If istiod's own cluster has a different name although MESH404 is ok, compare the pod's CLUSTER_ID and arguments with the Deployment.",
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
  if (!value.listsItself || own?.id === declared) return undefined;
  return {
    observed: own ? `${name} names its own cluster ${own.id}` : `${name} does not list its own cluster`,
    expected: `its own cluster ${declared}`,
    // MESH404 judges the Deployment: this pod was started from another version of it, or with another argument.
    fix: inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe pod/${name}`),
  };
}

/** Whether an istiod loses a cluster's endpoints when its remote secret changes. */
function losesEndpoints(controlPlane: ControlPlaneFacts, metrics: readonly PodPart<IstiodMetrics>[]): boolean {
  return runningVersions(controlPlane, metrics).some(({version}) => affects(remoteSecretDefects.endpoints, version));
}

/** `losing`: the istiod, if it loses endpoints when the Secret changes. */
function notSynced(
  {name, value}: PodPart<IstiodClusters>,
  losing: readonly string[],
  subject: ClusterSubject,
): readonly Finding[] {
  return (value.known ?? [])
    .filter(({status}) => status !== synced)
    .map((row) => ({
      observed: `${name} reports cluster ${row.id} as ${row.status} (${isOwn(row) ? 'its own' : `Secret ${row.secretName}`})`,
      expected: `cluster ${row.id} ${synced}`,
      fix: syncFix(row, losing, subject),
    }));
}

/**
 * Recreates the remote secret if the peer has a context and, by istioctl's naming (istio/istio
 * istioctl/pkg/multicluster/remote_secret.go), the new Secret replaces the existing one; otherwise shows istiod's log. The
 * replaced address, which may have been set with `--server`, is printed; the token is not. An istiod that loses the cluster's
 * endpoints when the Secret changes is restarted.
 */
function syncFix(row: KnownCluster, losing: readonly string[], {cluster, mesh}: ClusterSubject): Suggestion {
  const {namespace} = mesh.istio;
  const peer = clusterOfIstioName(mesh.clusters, row.id);
  const secret = `istio-remote-secret-${row.id}`;
  const isReplaced = row.secretName === `${namespace}/${secret}` && canCreateRemoteSecret(row.id);
  if (isOwn(row) || !isReplaced || peer?.context === undefined || peer.name === cluster.name) {
    return pipe(
      inspectWith.kubectl(cluster, words`-n ${namespace} logs -l app=istiod --tail=-1`),
      inspectWith.run('grep', words`-i -e ${row.id} -e failed`),
    );
  }
  const template = 'go-template={{range .data}}{{base64decode .}}{{"\\n"}}{{end}}';
  const show = inspectWith.kubectl(cluster, words`-n ${namespace} get secret ${secret} -o ${template}`);
  const create = inspectWith.istioctl(
    peer,
    words`create-remote-secret -n ${namespace} -i ${namespace} --name ${row.id}`,
  );
  return sequence(
    pipe(show, inspectWith.run('grep', ['-oE', 'server"?: *[^ ,]+'])),
    pipe(create, fixWith.kubectl(cluster, words`apply -f -`)),
    ...losing.map((istiod) => restartFix({cluster, mesh}, istiod)),
  );
}

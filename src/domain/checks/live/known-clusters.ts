import {fixWith, inspectWith, pipe, sequence, type Suggestion, words} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import type {IstiodClusters, KnownCluster, Part} from '../../facts/facts.js';
import {reinstallFix} from '../fixes.js';

const synced = 'synced';

/** What each istiod says of its own cluster and of those it reaches by remote secrets. */
export const knownClustersCheck = istiodCheck({
  id: 'MESH412',
  title: 'Every istiod names its cluster as declared and has synced all clusters it knows',
  requires: ['istiodClusters'],
  judge: ({istiodClusters}, subject) => {
    if (istiodClusters.length === 0) return notApplicable('no istiod runs here');
    const asked = istiodClusters.filter(({value}) => value.known !== undefined);
    if (asked.length === 0) return notApplicable('istiod says this since 1.11, and an older one runs here');
    const findings = asked.flatMap((pod) => [ownName(pod, subject), ...notSynced(pod, subject)]);
    const known = asked.map(
      ({name, value}) => `${name}: ${(value.known ?? []).map(({id}) => id).join(', ') || 'no other'}`,
    );
    return findingsOr(findings, ok(known.join('; '), `own cluster ${subject.cluster.name}, every cluster ${synced}`));
  },
  meaning:
    'The endpoint /debug/clusterz of every istiod pod lists its own cluster under the name that mesh.yaml gives it (since Istio 1.22), and says of every cluster, its own and those of remote secrets, that it is synced.',
  breaks:
    "syncing: istiod has not read that cluster's services yet. timeout: it could not within PILOT_REMOTE_CLUSTER_TIMEOUT (30 s) and serves without them: requests never reach that cluster. Another own name: proxies and remote secrets call the cluster by a name that this istiod does not know.",
  byHand:
    'istioctl remote-clusters --context "$CTX"\nkubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/debug/clusterz',
  howToFix: "timeout, closed: see in istiod's log why, and that the server in the remote secret can be reached from istiod's pod; then make the remote secret anew. The command prints the address that is in it and puts in the one of your kubeconfig: where the old one was right (given by `--server`, say), add `--server ADDRESS`, and where GitOps keeps the Secret, change it there. A Secret of another name than istioctl gives is for whoever made it. A cluster that is gone: delete its remote secret. Another own name: render install.yaml anew and apply it.",
  source:
    'istio/istio pkg/kube/multicluster/secretcontroller.go (ListRemoteClusters), pkg/kube/multicluster/cluster.go (states), pilot/pkg/xds/debug.go',
});

/** Rows of remote secrets name their secret; the istiod's own does not. */
function isOwn({secretName}: KnownCluster): boolean {
  return secretName === '';
}

function ownName({name, value}: Part<IstiodClusters>, subject: ClusterSubject): Finding | undefined {
  const own = value.known?.find(isOwn);
  if (!value.listsItself || own?.id === subject.cluster.name) return undefined;
  return {
    observed: own ? `${name} calls its own cluster ${own.id}` : `${name} does not list its own cluster`,
    expected: `its own cluster ${subject.cluster.name}`,
    fix: reinstallFix(subject),
  };
}

function notSynced({name, value}: Part<IstiodClusters>, subject: ClusterSubject): readonly Finding[] {
  return (value.known ?? [])
    .filter(({status}) => status !== synced)
    .map((row) => ({
      observed: `${name} says ${row.status} of cluster ${row.id}${isOwn(row) ? ', its own' : ` (Secret ${row.secretName})`}`,
      expected: `cluster ${row.id} ${synced}`,
      fix: syncFix(row, subject),
    }));
}

/**
 * A new remote secret where the peer can be asked for one, and istioctl's naming (istio/istio
 * istioctl/pkg/multicluster/remote_secret.go) says that it takes the place of the one there; elsewhere what istiod says
 * about it. The address that is replaced is shown, not lost: it may have been given by `--server`. The token is not.
 */
function syncFix(row: KnownCluster, {cluster, mesh}: ClusterSubject): Suggestion {
  const {namespace} = mesh.istio;
  const peer = mesh.clusters.find(({name}) => name === row.id);
  const secret = `istio-remote-secret-${row.id}`;
  const isReplaced = row.secretName === `${namespace}/${secret}`;
  if (isOwn(row) || !isReplaced || peer?.context === undefined || peer.name === cluster.name) {
    return pipe(
      inspectWith.kubectl(cluster, words`-n ${namespace} logs -l app=istiod --tail=-1`),
      inspectWith.run('grep', words`-i -e ${row.id} -e failed`),
    );
  }
  const template = 'go-template={{range .data}}{{base64decode .}}{{"\\n"}}{{end}}';
  const show = inspectWith.kubectl(cluster, words`-n ${namespace} get secret ${secret} -o ${template}`);
  const make = inspectWith.istioctl(
    peer,
    words`create-remote-secret -n ${namespace} -i ${namespace} --name ${peer.name}`,
  );
  return sequence(
    pipe(show, inspectWith.run('grep', ['-oE', 'server"?: *[^ ,]+'])),
    pipe(make, fixWith.kubectl(cluster, words`apply -f -`)),
  );
}

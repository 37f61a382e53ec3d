import {readerServiceAccount} from '../../discovery/names.js';
import {serviceAccountName} from '../../discovery/token.js';
import type {ControlPlaneFacts, IstiodClusters, PodPart, RemoteSecretFacts} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import {inspectWith, kubectlMesh, pipe, runAll, sequence, words} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding, type PairSubject} from '../check.js';
import {controlPlaneOf} from '../control-plane/running-versions.js';
import {restartFix} from '../fixes.js';
import type {Remedy} from '../remedies.js';
import {linkRemedy} from './link-fix.js';
import {podState, rowOf, settlingPods} from './sync-state.js';

/** Every istiod of the reader has read the peer. */
export const syncedCheck = istiodCheck({
  id: 'MESH506',
  title: 'Every istiod has synced the peer',
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['istiodClusters', 'controlPlanes'],
  optional: ['remoteSecrets', 'istiodMetrics', 'apiServer', 'readerAccount'],
  sides: {
    istiodClusters: 'self',
    controlPlanes: 'self',
    remoteSecrets: 'self',
    istiodMetrics: 'self',
    apiServer: 'peer',
    readerAccount: 'peer',
  },
  implies: ['MESH507', 'MESH6'],
  judge: (facts, subject) => {
    const {istiodClusters, controlPlanes, remoteSecrets} = facts;
    const {peer, now} = subject;
    if (istiodClusters.self.length === 0) return notApplicable('no istiod runs here');
    const settling = settlingPods(remoteSecrets?.self, controlPlanes.self, now);
    const pods = istiodClusters.self.map((pod) => ({...pod, state: podState(pod, peer, settling)}));
    const silent = pods.filter(({state}) => state === 'not reported').map(({name}) => name);
    if (silent.length === pods.length)
      return notApplicable('requires /debug/clusterz with the status timeout, which istiod has since 1.16');
    if (
      subject.isPeerUnselected === true &&
      !isConfigured(remoteSecrets?.self) &&
      !pods.some(({value}) => rowOf(value, peer))
    )
      return notApplicable(`${peer.name} is not selected, and istiod does not read it`);
    const expected = `cluster ${istioNameOf(peer)} ${synced}`;
    const findings = pods.map((pod): Finding | undefined => {
      if (pod.state === 'synced' || pod.state === 'not reported') return undefined;
      // There may be no remote secret: it was not read.
      const isUnlinked = remoteSecrets === undefined && !rowOf(pod.value, peer);
      const fix = isUnlinked ? linkRemedy(subject, facts) : fixOf(pod, controlPlanes.self, subject);
      const kind = rowOf(pod.value, peer)?.status ?? 'not listed';
      return {
        kind,
        observed: `${pod.name} ${unread(pod, peer)}`,
        expected,
        isUnproven: pod.state === 'settling',
        ...fix,
      };
    });
    if (silent.length > 0 && findings.every((finding) => finding === undefined))
      return notApplicable(`the version of ${silent.join(', ')} does not report it; the other istiods have synced`);
    return findingsOr(findings, ok(pods.map(({name}) => name).join(', '), expected));
  },
  meaning:
    "The endpoint /debug/clusterz of every istiod pod reports the peer as synced: it has connected to the peer's API server and read its services. Unknown within a minute after the remote secret was written or istiod started. Skipped for versions before 1.16: these do not report it, or report a peer that they could not read as synced.",
  breaks:
    "If the state is syncing, istiod has not read the peer's services yet. If it is timeout, istiod could not read them within PILOT_REMOTE_CLUSTER_TIMEOUT (default: 30s) and serves without them, so requests never reach the peer. If the peer is not listed, istiod does not use its remote secret.",
  byHand:
    'istioctl remote-clusters --context "$CTX"\nkubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/debug/clusterz',
  fix: "If MESH501, MESH503 and MESH505 are ok, istiod's pod cannot connect to the API server (a firewall, a proxy, an authorized-networks list), or the reader's service account may not read the peer. The suggested command prints istiod's log about the peer; if the account cannot list services there, it restores the ClusterRole and ClusterRoleBinding with `kubectl mesh install apply PEER`. istiod retries by itself. An istiod that does not list the peer is restarted: it ignores a remote secret as long as another one has the same cluster. If no Secret was read, it is linked instead: it may have no remote secret for the peer.",
  source:
    'istio/istio pkg/kube/multicluster/secretcontroller.go (ListRemoteClusters, addRemoteConfig), pkg/kube/multicluster/cluster.go (states), pilot/pkg/features/pilot.go, pilot/pkg/xds/debug.go',
});

function isConfigured(secret: RemoteSecretFacts | 'absent' | undefined): boolean {
  return secret !== undefined && secret !== 'absent' && secret.labeled;
}

/** What a finding states. */
function unread({value}: PodPart<IstiodClusters>, peer: PairSubject['peer']): string {
  const row = rowOf(value, peer);
  const id = istioNameOf(peer);
  return row ? `reports cluster ${id} as ${row.status} (Secret ${row.secretName})` : `does not list cluster ${id}`;
}

function fixOf(
  pod: PodPart<IstiodClusters>,
  controlPlanes: readonly ControlPlaneFacts[],
  {cluster, peer, mesh}: PairSubject,
): Remedy {
  const {namespace} = mesh.istio;
  const istiod = controlPlaneOf(pod.name, controlPlanes)?.workload.name;
  if (!rowOf(pod.value, peer)) return {fix: restartFix({cluster, mesh}, ...(istiod === undefined ? [] : [istiod]))};
  const account = serviceAccountName(namespace, readerServiceAccount);
  const logs = pipe(
    inspectWith.kubectl(cluster, words`-n ${namespace} logs ${pod.name} --tail=-1`),
    inspectWith.run('grep', words`-i -e ${istioNameOf(peer)} -e failed`),
    inspectWith.run('tail', words`-n 20`),
  );
  // The command prints "no" only if the API server answers so, and nothing if that cannot be determined.
  const isForbidden = pipe(
    inspectWith.kubectl(peer, words`auth can-i list services --all-namespaces --as ${account}`),
    inspectWith.run('grep', ['^no']),
  );
  return {
    fix: runAll(logs, sequence(isForbidden, kubectlMesh('install apply', [peer.name, '--yes']))),
    note: `if it does not print "no", the reader may read ${peer.name}, and istiod's pod cannot connect to its API server`,
  };
}

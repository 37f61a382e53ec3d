import {remoteSecretName} from '../../discovery/names.js';
import {reads} from '../../discovery/pairs.js';
import type {ControlPlaneFacts} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {groupBy} from '../../group-by.js';
import {clusterOfIstioName, istioNameOf} from '../../mesh/istio-name.js';
import {printableLine} from '../../printable.js';
import {sequence, type Suggestion} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import {restartFix} from '../fixes.js';
import type {Remedy} from '../remedies.js';
import {noSecretsReason} from './credentials.js';
import {managedNote} from './link-fix.js';
import {entriesOf, removeEntry, type SecretEntry} from './secret-entries.js';

/** The remote secrets are for other clusters of the mesh, one for each. */
export const straySecretsCheck = istiodCheck({
  id: 'MESH502',
  title: 'Every remote secret is for another cluster of the mesh, and no two are for the same one',
  severity: 'warning',
  requires: ['istiodClusters', 'controlPlanes'],
  optional: ['remoteSecrets', 'remoteCredentials'],
  expected: 'one remote secret for each cluster that istiod has to read',
  judge: ({controlPlanes, ...sources}, subject) => {
    const reason = noSecretsReason(controlPlanes);
    if (reason !== undefined) return notApplicable(reason);
    const entries = entriesOf(sources, subject);
    const byCluster = groupBy(entries, ({id}) => id);
    const findings = [...byCluster.values()].flatMap((same) => [
      stray(same, entries, subject),
      duplicate(same, entries, controlPlanes, subject),
    ]);
    return findingsOr(findings, ok([...byCluster.keys()].map(printableLine).join(', ') || 'no remote secret'));
  },
  meaning:
    "istiod reads no cluster that is not in mesh.yaml, has no remote secret for its own cluster, and no two remote secrets are for the same cluster. A cluster that is in mesh.yaml but need not be read, such as another primary's remote, is reported only if istiod has not synced it. The Secrets are those that istiod reports (/debug/clusterz) and those with the names of the mesh's clusters; with `--access`, all with the label are read.",
  breaks:
    'Requests are also sent to the endpoints of a cluster that is not part of the mesh. If that cluster no longer exists, every start of istiod takes up to 30 seconds longer (PILOT_REMOTE_CLUSTER_TIMEOUT). Of two Secrets for one cluster istiod uses the first and ignores the other: a renewed token in that one has no effect, and which one is used can change when istiod restarts. istiod ignores a Secret for its own cluster, but the Secret holds a token.',
  byHand:
    'istioctl remote-clusters --context "$CTX"\nkubectl --context "$CTX" -n istio-system get secrets -l istio/multiCluster=true',
  fix: 'Delete the Secret. If the cluster belongs to the mesh, add it to mesh.yaml instead. Of two Secrets, keep the one with the name that istioctl and `kubectl mesh link` give it; istiod is restarted if it used the other one, because it does not read an ignored Secret again.',
  source:
    'istio/istio pkg/kube/multicluster/secretcontroller.go (addRemoteConfig, deleteRemoteConfig, ListRemoteClusters), pilot/pkg/features/pilot.go',
});

/** A cluster that istiod need not read: its own, one that is not in mesh.yaml, or one that does not work. */
function stray(
  same: readonly [SecretEntry, ...SecretEntry[]],
  all: readonly SecretEntry[],
  subject: ClusterSubject,
): Finding | undefined {
  const {cluster, mesh} = subject;
  const [{id}] = same;
  const known = clusterOfIstioName(mesh.clusters, id);
  // Nearly every entry is one of these.
  if (known && reads(cluster, known)) return undefined;
  if (same.every((entry) => isMisnamed(entry, all, subject))) return undefined;
  const name = printableLine(id);
  const places = same.map((entry) => placeOf(entry, subject)).join(' and ');
  const remedy = removal(same, all, subject);
  if (id === istioNameOf(cluster)) return {observed: `${places} is for cluster ${name} itself`, ...remedy};
  const status = same.find((entry) => entry.status !== undefined)?.status;
  const isBroken = status !== undefined && status !== synced;
  if (known && !isBroken) return undefined;
  const what = known ? 'which it need not read' : 'which is not in mesh.yaml';
  const state = status === undefined ? '' : `, and istiod reports it as ${status}`;
  const observed = `${places} is for cluster ${name}, ${what}${state}`;
  return {severity: isBroken ? 'error' : 'warning', observed, ...remedy};
}

/** Removes entries, with a note if another tool would restore one. `then`: what follows. */
function removal(
  entries: readonly SecretEntry[],
  all: readonly SecretEntry[],
  subject: ClusterSubject,
  then: readonly Suggestion[] = [],
): Remedy {
  const managed = entries.find(({managedBy}) => managedBy !== undefined);
  return {
    fix: sequence(...entries.map((entry) => removeEntry(entry, all, subject)), ...then),
    ...(managed?.managedBy !== undefined && {note: managedNote(managed.managedBy, placeOf(managed, subject))}),
  };
}

function placeOf({secret}: SecretEntry, {mesh}: ClusterSubject): string {
  return `Secret ${mesh.istio.namespace}/${printableLine(secret)}`;
}

/** Whether the Secret has the name of a peer's, but not its data key: MESH501 reports that. */
function isMisnamed({secret}: SecretEntry, all: readonly SecretEntry[], {cluster, mesh}: ClusterSubject): boolean {
  const peer = mesh.clusters.find((other) => reads(cluster, other) && remoteSecretName(other) === secret);
  return peer !== undefined && !all.some((other) => other.secret === secret && other.id === istioNameOf(peer));
}

/** Several Secrets for one cluster. */
function duplicate(
  same: readonly [SecretEntry, ...SecretEntry[]],
  all: readonly SecretEntry[],
  controlPlanes: readonly ControlPlaneFacts[],
  subject: ClusterSubject,
): Finding | undefined {
  if (same.length < 2) return undefined;
  const {cluster, mesh} = subject;
  const [first] = same;
  const peer = clusterOfIstioName(mesh.clusters, first.id);
  if (first.id === istioNameOf(cluster) || !peer) return undefined;
  const used = same.find(({status}) => status !== undefined);
  const kept = same.find(({secret}) => secret === remoteSecretName(peer)) ?? used ?? first;
  const removed = same.filter((entry) => entry !== kept);
  const isRestarted = used !== undefined && used !== kept;
  const restart = isRestarted ? [restartFix(subject, ...controlPlanes.map(({workload}) => workload.name))] : [];
  return {
    severity: 'error',
    observed: `Secrets ${same.map(({secret}) => printableLine(secret)).join(' and ')} are both for cluster ${printableLine(first.id)}`,
    ...removal(removed, all, subject, restart),
  };
}

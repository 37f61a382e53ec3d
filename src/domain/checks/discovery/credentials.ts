/** Shared by the checks of discovery: remote secrets, and the credentials in them. */
import {remoteSecretName} from '../../discovery/names.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import type {ControlPlaneFacts, IstiodClusters, PodPart, RemoteSecretFacts} from '../../facts/facts.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import type {PairSubject} from '../check.js';
import {rowsOf} from './sync-state.js';

/** Where a remote secret is: `Secret istio-system/istio-remote-secret-two`. */
export function secretPlace({mesh, peer}: Pick<PairSubject, 'mesh' | 'peer'>): string {
  return `Secret ${mesh.istio.namespace}/${remoteSecretName(peer)}`;
}

/** The credential for a peer in its remote secret; undefined if there is none. */
export function credentialFor(secret: RemoteSecretFacts | 'absent', peer: MeshCluster): RemoteCredential | undefined {
  if (secret === 'absent') return undefined;
  return secret.credentials.find((one) => one.cluster === istioNameOf(peer));
}

/** The environment variable with a directory of kubeconfigs, which istiod reads instead of remote secrets (1.30.0:pilot/pkg/features/pilot.go). */
const kubeconfigDirectory = 'PILOT_MULTICLUSTER_KUBECONFIG_PATH';

/** Why a cluster's istiods use no remote secrets; undefined if they do. */
export function noSecretsReason(controlPlanes: readonly ControlPlaneFacts[]): string | undefined {
  if (controlPlanes.length === 0) return 'no istiod runs here';
  const readsFiles = controlPlanes.every(({workload}) => (workload.env[kubeconfigDirectory] ?? '') !== '');
  return readsFiles ? `istiod reads kubeconfigs from a directory (${kubeconfigDirectory})` : undefined;
}

/** The Secrets (NAMESPACE/NAME) from which the reader's pods read a cluster. */
export function secretsInUse(pods: readonly PodPart<IstiodClusters>[] | undefined, id: string): readonly string[] {
  const rows = (pods ?? []).flatMap(({value}) => rowsOf(value, id));
  return [...new Set(rows.flatMap(({secretName}) => (secretName === '' ? [] : [secretName])))];
}

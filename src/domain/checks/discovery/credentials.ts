/** Shared by the checks of discovery: remote secrets, and the credentials in them. */
import {remoteSecretName} from '../../discovery/names.js';
import type {RemoteKubeconfig} from '../../discovery/remote-kubeconfig.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import type {ControlPlaneFacts, RemoteSecretFacts} from '../../facts/facts.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {printableLine} from '../../printable.js';
import type {PairSubject} from '../check.js';

/** Where a remote secret is: `Secret istio-system/istio-remote-secret-two`. `secret`: its name if it is not the usual one. */
export function secretPlace({
  mesh,
  peer,
  secret = remoteSecretName(peer),
}: Pick<PairSubject, 'mesh' | 'peer'> & {readonly secret?: string | undefined}): string {
  return `Secret ${mesh.istio.namespace}/${printableLine(secret)}`;
}

/** The credential for a peer in its remote secret; undefined if there is none. */
export function credentialFor(secret: RemoteSecretFacts | 'absent', peer: MeshCluster): RemoteCredential | undefined {
  if (secret === 'absent') return undefined;
  return secret.credentials.find((one) => one.cluster === istioNameOf(peer));
}

/** The same; if that Secret has none, the one in a Secret with another name, which is known with `--access`. */
export function credentialUsed(
  secret: RemoteSecretFacts | 'absent',
  listed: readonly RemoteCredential[] | undefined,
  peer: MeshCluster,
): RemoteCredential | undefined {
  const other = ({cluster, secret: name}: RemoteCredential): boolean =>
    cluster === istioNameOf(peer) && name !== remoteSecretName(peer);
  return credentialFor(secret, peer) ?? listed?.find(other);
}

/** Why a part of the credential for a peer cannot be judged: MESH501 reports that it is missing, or in a Secret with another name. */
export function missingReason(
  secret: RemoteSecretFacts | 'absent',
  what: string,
  subject: Pick<PairSubject, 'mesh' | 'peer'>,
): string {
  const place = secretPlace(subject);
  return secret === 'absent' ? `${place} does not exist (MESH501)` : `there is no ${what} in ${place} (MESH501)`;
}

/** Why the token of a credential cannot be judged, if it has none. */
export function noTokenReason(
  secret: RemoteSecretFacts | 'absent',
  kubeconfig: RemoteKubeconfig | undefined,
  subject: Pick<PairSubject, 'mesh' | 'peer'>,
): string {
  const {otherCredential} = kubeconfig ?? {};
  if (otherCredential === undefined) return missingReason(secret, 'token', subject);
  return `the credential is ${printableLine(otherCredential)}, which no request verifies; MESH506 shows whether it works`;
}

/** The environment variable with a directory of kubeconfigs, which istiod reads instead of remote secrets (1.30.0:pilot/pkg/features/pilot.go). */
const kubeconfigDirectory = 'PILOT_MULTICLUSTER_KUBECONFIG_PATH';

/** Why a cluster's istiods use no remote secrets; undefined if they do. */
export function noSecretsReason(controlPlanes: readonly ControlPlaneFacts[]): string | undefined {
  if (controlPlanes.length === 0) return 'no istiod runs here';
  const readsFiles = controlPlanes.every(({workload}) => (workload.env[kubeconfigDirectory] ?? '') !== '');
  return readsFiles ? `istiod reads kubeconfigs from a directory (${kubeconfigDirectory})` : undefined;
}

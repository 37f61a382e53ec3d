/** What to remove from one cluster so that it and another one no longer read each other. */
import {defined} from '../defined.js';
import type {ErrorReport} from '../errors.js';
import {istioNameOf} from '../mesh/istio-name.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {isSubdomain} from '../mesh/names.js';
import {isKnown, type Observed, unknownsOf, valueOr} from '../observed.js';
import {losingServices, type ClusterServices, type LosingService, servicesByCluster} from './lost-endpoints.js';
import {discoveryAnnotations, multiClusterLabel, readerSecretNames, remoteSecretName} from './names.js';
import type {DiscoveryObservation, DiscoveryPod, StoredRemoteSecret, StoredSecret} from './observation.js';
import type {RemoteCredential} from './remote-secret.js';

/** A cluster whose discovery ends, and the clusters of the mesh. */
export interface UnlinkScope {
  readonly target: MeshCluster;
  readonly clusters: readonly MeshCluster[];
  /** Istio's namespace. */
  readonly namespace: string;
}

/** A remote secret of which all or some credentials are removed. */
export interface RemoteRemoval {
  readonly secret: StoredRemoteSecret;
  readonly credentials: readonly RemoteCredential[];
  /** Nothing else is in the Secret: it is deleted. */
  readonly isWhole: boolean;
}

/** A token that deleting the reader Secret does not revoke: another tool issued it. */
export interface LastingToken {
  /** The cluster that accepts it: its name in mesh.yaml, otherwise Istio's. */
  readonly peer: string;
  /** The remote secret with the token. */
  readonly secret: string;
  /** The Secret in the peer whose deletion revokes it, and that of every other reader that uses it. Absent: unknown. */
  readonly tokenSecret?: string;
  /** Absent: it does not expire, or its expiry is unknown. */
  readonly expiresAt?: Date;
}

/** What istiod must no longer list, and which clusters must keep endpoints. */
export interface UnlinkProof {
  /** Istio's names of the clusters that are no longer read. */
  readonly gone: readonly string[];
  readonly kept: readonly ClusterServices[];
  /** Whether this version of istiod lists the clusters that it reads. */
  readonly listsClusters: boolean;
}

/** The decision for one cluster. */
export interface UnlinkDecision {
  /** As a reader. */
  readonly remotes: readonly RemoteRemoval[];
  /** As a peer. */
  readonly readerSecrets: readonly StoredSecret[];
  /** Services that pods of this cluster reach in fewer clusters afterwards. Unknown: no istiod pod reports them. */
  readonly losing: Observed<readonly LosingService[]>;
  /** Absent: nothing is removed as a reader, or istiod cannot show it. */
  readonly proof?: UnlinkProof;
  /** Why istiod cannot show it. */
  readonly unproven?: string;
  readonly lasting: readonly LastingToken[];
  /** Secrets with a credential for such a cluster that are no remote secrets, and stay. */
  readonly unlabelled: readonly string[];
  /** Absent: Secrets of any name were searched for. */
  readonly unlisted?: ErrorReport;
  /** Why the cluster cannot be changed. */
  readonly errors: readonly ErrorReport[];
}

/** Decides for one cluster: for the target about every cluster that it reads or that reads it, for the others about the target. */
export function decideUnlink(scope: UnlinkScope, cluster: MeshCluster, seen: DiscoveryObservation): UnlinkDecision {
  const {target, clusters, namespace} = scope;
  const isTarget = cluster.name === target.name;
  const remoteSecrets = [...seen.remoteSecrets.values()];
  const readerSecrets = [...seen.readerSecrets.values()];
  const targetName = istioNameOf(target);
  const all = known(remoteSecrets).flatMap((secret): readonly RemoteRemoval[] => {
    const credentials = credentialsFor(scope, cluster, secret);
    const isWhole = credentials.length === secret.credentials.length;
    return credentials.length === 0 ? [] : [{secret, credentials, isWhole}];
  });
  // istiod names the Secrets that it uses, but only those with the label are remote secrets.
  const remotes = all.filter(({secret}) => isRemoteSecret(secret));
  const unlisted = seen.listed && !isKnown(seen.listed) ? seen.listed.unknown : undefined;
  const pods = isKnown(seen.istiods) ? seen.istiods.value.flatMap((istiod) => istiod.pods) : [];
  // An earlier run may have ended before istiod forgot a cluster.
  const listed = pods.flatMap((pod) => valueOr(pod.clusters, []) ?? []).filter(({secretName}) => secretName !== '');
  const held = listed.map(({id}) => id).filter((id) => isTarget || id === targetName);
  const gone = [...new Set([...remotes.flatMap(({credentials}) => credentials.map((one) => one.cluster)), ...held])];
  const services = pods.map((pod) => pod.services).find((one) => one && isKnown(one)) ?? pods[0]?.services;
  const shards = services && isKnown(services) ? services.value : [];
  const kept = servicesByCluster(shards).filter((one) => !gone.includes(one.cluster));
  const listsClusters = pods.every(({clusters: listed}) => !isKnown(listed) || listed.value !== undefined);
  const unproven = pods.length === 0 ? 'no istiod pod is running' : disabledEndpoint(pods);
  const losing = gone.flatMap((name) => losingServices(shards, name, namespace));
  return defined<UnlinkDecision>({
    remotes,
    readerSecrets: known(readerSecrets),
    losing: services && !isKnown(services) ? services : {value: merged(losing)},
    proof: gone.length === 0 || unproven !== undefined ? undefined : {gone, kept, listsClusters},
    unproven: gone.length === 0 ? undefined : unproven,
    lasting: remotes.flatMap((removal) => lastingTokens(removal, cluster, clusters)),
    unlabelled: all.flatMap(({secret}) => (isRemoteSecret(secret) ? [] : [secret.metadata.name])),
    unlisted: unlisted?.code === 'FORBIDDEN' ? unlisted : undefined,
    errors: [
      ...unknownsOf(seen.uid, seen.istiods, ...remoteSecrets, ...readerSecrets),
      ...(unlisted && unlisted.code !== 'FORBIDDEN' ? [unlisted] : []),
    ],
  });
}

/** Whether anything in a cluster belongs to the target, or may: what could not be read. */
export function concernsTarget(scope: UnlinkScope, cluster: MeshCluster, seen: DiscoveryObservation): boolean {
  const secrets = [...seen.remoteSecrets.values()];
  return (
    [...secrets, ...seen.readerSecrets.values()].some((one) => !isKnown(one)) ||
    known([...seen.readerSecrets.values()]).length > 0 ||
    known(secrets).some((secret) => credentialsFor(scope, cluster, secret).length > 0)
  );
}

function isRemoteSecret({metadata: {labels = {}}}: StoredSecret): boolean {
  return labels[multiClusterLabel.name] === multiClusterLabel.value;
}

/** The credentials in a remote secret that are removed. */
function credentialsFor(
  {target, clusters}: UnlinkScope,
  cluster: MeshCluster,
  {metadata: {name, annotations = {}}, credentials}: StoredRemoteSecret,
): readonly RemoteCredential[] {
  if (cluster.name === target.name) return credentials;
  const targetName = istioNameOf(target);
  const own = credentials.filter((one) => one.cluster === targetName);
  if (own.length > 0) return own;
  // In a Secret that link wrote for the target, a wrong data key, or an earlier one, still leads to the target.
  const isOfTarget = name === remoteSecretName(target) || annotations[discoveryAnnotations.peer] === target.name;
  const others = clusters.filter((one) => one.name !== target.name).map(istioNameOf);
  return isOfTarget ? credentials.filter((one) => !others.includes(one.cluster)) : [];
}

function known<T>(facts: readonly Observed<T | undefined>[]): readonly T[] {
  return facts.flatMap((fact) => (isKnown(fact) && fact.value !== undefined ? [fact.value] : []));
}

/** Why an istiod pod cannot show what it reads. Other errors may be gone with the next request. */
function disabledEndpoint(pods: readonly DiscoveryPod[]): string | undefined {
  const errors = pods.flatMap(({clusters, services}) => unknownsOf(clusters, ...(services ? [services] : [])));
  return errors.find(({code}) => code === 'ENDPOINT_OFF')?.message;
}

/** A service that loses endpoints in several clusters is one service. */
function merged(losing: readonly LosingService[]): readonly LosingService[] {
  const byHost = new Map<string, LosingService>();
  for (const service of losing) {
    const before = byHost.get(service.host);
    // What is left was counted without the endpoints in one cluster only.
    const lost = service.lost + (before?.lost ?? 0);
    byHost.set(service.host, {...service, lost, left: before ? before.left - service.lost : service.left});
  }
  return [...byHost.values()];
}

function lastingTokens(
  {secret, credentials}: RemoteRemoval,
  reader: MeshCluster,
  clusters: readonly MeshCluster[],
): readonly LastingToken[] {
  return credentials.flatMap(({cluster, kubeconfig}): readonly LastingToken[] => {
    const claims = kubeconfig?.claims;
    const named = claims?.tokenSecret ?? claims?.boundSecret?.name;
    if (named !== undefined && readerSecretNames(reader).includes(named)) return [];
    return [
      defined<LastingToken>({
        peer: clusters.find((one) => istioNameOf(one) === cluster)?.name ?? cluster,
        secret: secret.metadata.name,
        // The token is not verified, and the name becomes part of a command.
        tokenSecret: named !== undefined && isSubdomain(named) ? named : undefined,
        expiresAt: claims?.expiresAt,
      }),
    ];
  });
}

/** Facts about endpoint discovery: remote secrets, whether their tokens are accepted, and the addresses of API servers. */
import pMap from 'p-map';
import {defined} from '../../domain/defined.js';
import {
  apiServerCaConfigMap,
  clusterAnnotation,
  discoveryAnnotations,
  multiClusterLabel,
  remoteSecretName,
} from '../../domain/discovery/names.js';
import {hasDiscoveryPairs, reads as isRead} from '../../domain/discovery/pairs.js';
import {readRemoteSecret, unchangeableReason} from '../../domain/discovery/remote-secret.js';
import type {TokenVerdict} from '../../domain/discovery/token.js';
import {MeshError} from '../../domain/errors.js';
import {PerCluster, type RemoteSecretFacts} from '../../domain/facts/facts.js';
import {fieldChangedAt} from '../../domain/kube/object.js';
import {managerOf} from '../../domain/kube/manager.js';
import type {SecretObject} from '../../domain/kube/objects.js';
import {istioNameOf} from '../../domain/mesh/istio-name.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {sharedTexts} from '../../domain/memoize.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import {requireContext} from '../../domain/mesh/resolve.js';
import {isKnown} from '../../domain/observed.js';
import {attempt, atOnce} from '../cluster-reader.js';
import type {Derivations, FactSources} from '../fact-sources.js';

export const discoveryFacts: Derivations<'remoteSecrets' | 'acceptedTokens' | 'readerAccount' | 'apiServer'> = {
  async remoteSecrets({reads, cluster, mesh, deps}) {
    // A mesh of one cluster has no remote secrets, and a user may have no right to read them.
    const isLinked = hasDiscoveryPairs(mesh.clusters);
    const others = mesh.clusters.filter((other) => isLinked && (other.name === cluster.name || isRead(cluster, other)));
    const listed = others.length > atOnce ? await listRemoteSecrets(reads, deps) : undefined;
    const parts = await pMap(
      others,
      async (other) => {
        const name = remoteSecretName(other);
        const read = async (): Promise<RemoteSecretFacts | 'absent'> => {
          // A Secret without the label may exist.
          const secret = listed?.get(name) ?? (await reads.read('remoteSecret', {name}));
          return secret ? remoteSecretFacts(secret) : 'absent';
        };
        return {name: other.name, observed: await attempt(deps.signal, read)};
      },
      {concurrency: atOnce},
    );
    return new PerCluster(parts);
  },

  async acceptedTokens(sources) {
    const {cluster, mesh, deps, all} = sources;
    const readers = mesh.clusters.filter((other) => isRead(other, cluster) && all.has(other.name));
    const parts = await pMap(
      readers,
      async (reader) => ({
        name: reader.name,
        observed: await attempt(deps.signal, () => reviewTokenOf(reader, sources)),
      }),
      {concurrency: atOnce},
    );
    return new PerCluster(parts);
  },

  async readerAccount({reads, cluster, mesh}) {
    const isPeer = mesh.clusters.some((other) => isRead(other, cluster));
    return isPeer && (await reads.read('readerAccount')) !== undefined;
  },

  async apiServer({reads, cluster, mesh, deps}) {
    // It takes a kubectl process, which a mesh of one cluster does not need.
    const isPeer = mesh.clusters.some((other) => isRead(other, cluster));
    const [kubeconfig, configMaps] = await Promise.all([
      isPeer ? deps.clusters.serverOf(requireContext(cluster)) : undefined,
      reads.read('configMaps'),
    ]);
    const found = configMaps.find(({metadata}) => metadata.name === apiServerCaConfigMap);
    return defined({kubeconfig, rootCa: found?.data?.['ca.crt']});
  },
};

/** Lists the Secrets with the label of remote secrets, by name. None if the user may not: each is then read by its name. */
async function listRemoteSecrets(
  reads: FactSources['reads'],
  {signal}: FactSources['deps'],
): Promise<ReadonlyMap<string, SecretObject> | undefined> {
  const list = await attempt(signal, () => reads.read('listedRemoteSecrets'));
  return isKnown(list) ? new Map(list.value.map((secret) => [secret.metadata.name, secret])) : undefined;
}

/** Every reader has a Secret of the same name and annotation for a peer. */
const shared = sharedTexts(4096);

function remoteSecretFacts(secret: SecretObject): RemoteSecretFacts {
  const {metadata} = secret;
  const annotation = metadata.annotations?.[clusterAnnotation];
  const created = metadata.creationTimestamp === undefined ? undefined : new Date(metadata.creationTimestamp);
  return defined<RemoteSecretFacts>({
    name: shared(metadata.name),
    labeled: metadata.labels?.[multiClusterLabel.name] === multiClusterLabel.value,
    isLinked: metadata.annotations?.[discoveryAnnotations.tokenIssued] !== undefined,
    annotation: annotation === undefined ? undefined : shared(annotation),
    credentials: readRemoteSecret(secret),
    writtenAt: fieldChangedAt(metadata, ['f:data']) ?? created,
    managedBy: managerOf(secret),
    unchangeable: unchangeableReason(secret),
  });
}

/**
 * Has this cluster review the token in a reader's remote secret. Throws `UID_MISMATCH` if a context points to another cluster:
 * that one must not get the token.
 */
async function reviewTokenOf(
  reader: MeshCluster,
  {cluster, mesh, all, reads, fact}: FactSources,
): Promise<TokenVerdict | 'no token'> {
  const [uid, readerUid, secrets] = await Promise.all([
    fact('clusterUid'),
    all.get(reader.name)?.fact('clusterUid'),
    all.get(reader.name)?.fact('remoteSecrets'),
  ]);
  const uids = [
    {name: cluster.name, uid},
    {name: reader.name, uid: readerUid},
  ];
  const [mismatch] = uidMismatches(mesh, uids).values();
  if (mismatch) throw new MeshError(mismatch.code, mismatch.message, {hints: mismatch.hints});
  const observed = secrets?.about(cluster.name);
  if (observed && !isKnown(observed)) {
    const {code, message, hints} = observed.unknown;
    throw new MeshError(code, message, {hints});
  }
  const secret = observed?.value ?? 'absent';
  const credentials = secret === 'absent' ? [] : secret.credentials;
  const token = credentials.find((one) => one.cluster === istioNameOf(cluster))?.kubeconfig?.token;
  return token ? reads.reviewToken(token) : 'no token';
}

/**
 * Reads the Secrets of discovery in one cluster. link knows their names; unlink must also find those that have other names, and
 * lists Secrets where the user may.
 */
import pMap from 'p-map';
import {
  discoveryAnnotations,
  multiClusterLabel,
  readerSecretNames,
  remoteSecretName,
} from '../domain/discovery/names.js';
import {
  type DiscoveryObservation,
  readStoredRemoteSecret,
  readStoredSecret,
  secretsInUse,
  secretsInUseFor,
  type StoredRemoteSecret,
} from '../domain/discovery/observation.js';
import type {SecretObject} from '../domain/kube/objects.js';
import {istioNameOf, type NamedCluster} from '../domain/mesh/istio-name.js';
import type {MeshCluster} from '../domain/mesh/mesh.js';
import {isKnown, observe, type Observed} from '../domain/observed.js';
import {atOnce, type Reads} from './cluster-reader.js';

/** The clusters whose Secrets are read in a cluster. */
export interface SecretsTarget {
  /** Those that it reads. */
  readonly peers: readonly MeshCluster[];
  /** Those that read it. */
  readonly readers: readonly MeshCluster[];
  /** For unlink: Secrets of any name are read. */
  readonly unlinks?: {
    /** The clusters that it still reads afterwards. */
    readonly keeps: readonly NamedCluster[];
    /** Whether no cluster reads it afterwards, also none that mesh.yaml does not contain. */
    readonly revokesAll: boolean;
  };
}

/** The Secrets of discovery in a cluster. */
export type DiscoverySecrets = Pick<DiscoveryObservation, 'readerSecrets' | 'remoteSecrets' | 'listed'>;

type SecretReads = Pick<Reads, 'read'>;

/** Reads the Secrets in Istio's namespace of a cluster with these istiods. */
export async function readDiscoverySecrets(
  reads: SecretReads,
  target: SecretsTarget,
  namespace: string,
  istiods: Promise<DiscoveryObservation['istiods']>,
): Promise<DiscoverySecrets> {
  const {peers, readers, unlinks} = target;
  if (!unlinks) {
    const [readerSecrets, remoteSecrets] = await Promise.all([
      readNamed(reads, readers.flatMap(readerSecretNames), readStoredSecret),
      readRemoteSecrets(reads, peers, namespace, istiods),
    ]);
    return {readerSecrets, remoteSecrets};
  }
  const list = await observe(() => listSecrets(reads, target));
  const found = isKnown(list) ? list.value : undefined;
  const names = [...readers.flatMap(readerSecretNames), ...(found?.readerSecrets ?? [])];
  const [readerSecrets, remoteSecrets] = await Promise.all([
    readNamed(reads, names, readStoredSecret),
    found
      ? new Map(found.remoteSecrets.map((one) => [one.metadata.name, {value: one}] as const))
      : readUnlisted(reads, peers, unlinks.keeps, {namespace, istiods}),
  ]);
  return {readerSecrets, remoteSecrets, listed: isKnown(list) ? {value: true} : list};
}

/** The remote secrets that link names, and those that istiod uses: it ignores a second Secret for a cluster, whatever its name. */
async function readRemoteSecrets(
  reads: SecretReads,
  peers: readonly MeshCluster[],
  namespace: string,
  istiods: Promise<DiscoveryObservation['istiods']>,
): Promise<DiscoverySecrets['remoteSecrets']> {
  const seen = {istiods: await istiods};
  const inUse = peers.flatMap((peer) => secretsInUse(seen, namespace, istioNameOf(peer)));
  return readNamed(reads, [...peers.map(remoteSecretName), ...inUse], readStoredRemoteSecret);
}

/** In addition, those for clusters that are not kept: one may be for the target under another name. */
async function readUnlisted(
  reads: SecretReads,
  peers: readonly MeshCluster[],
  keeps: readonly NamedCluster[],
  {namespace, istiods}: {readonly namespace: string; readonly istiods: Promise<DiscoveryObservation['istiods']>},
): Promise<DiscoverySecrets['remoteSecrets']> {
  const certain = await readRemoteSecrets(reads, peers, namespace, istiods);
  const isKept = (istioName: string): boolean => keeps.some((one) => istioNameOf(one) === istioName);
  const inUse = secretsInUseFor({istiods: await istiods}, namespace, (istioName) => !isKept(istioName));
  const others = inUse.filter((name) => !certain.has(name));
  const further = await readNamed(reads, others, readStoredRemoteSecret);
  // That others could not be searched for is reported anyway.
  return new Map([...certain, ...[...further].filter(([, secret]) => isKnown(secret))]);
}

/** Secrets that were found by their labels. */
interface ListedSecrets {
  readonly remoteSecrets: readonly StoredRemoteSecret[];
  readonly readerSecrets: readonly string[];
}

/** Throws `FORBIDDEN` for most users: the right to list Secrets includes the CA key. */
async function listSecrets(reads: SecretReads, {peers, readers, unlinks}: SecretsTarget): Promise<ListedSecrets> {
  const [remoteSecrets, managed] = await Promise.all([
    peers.length === 0 ? [] : reads.read('remoteSecrets'),
    reads.read('managedSecrets'),
  ]);
  const readerSecrets = managed.filter(({metadata: {name, labels, annotations}}) => {
    const reader = annotations?.[discoveryAnnotations.reader];
    // Remote secrets have this annotation as well.
    if (reader === undefined || labels?.[multiClusterLabel.name] !== undefined) return false;
    const isMeant = unlinks?.revokesAll === true || readers.some((one) => one.name === reader);
    return isMeant && readerSecretNames({name: reader}).includes(name);
  });
  return {
    remoteSecrets: remoteSecrets.map(readStoredRemoteSecret),
    readerSecrets: readerSecrets.map(({metadata}) => metadata.name),
  };
}

async function readNamed<T>(
  reads: SecretReads,
  names: readonly string[],
  parse: (secret: SecretObject) => T,
): Promise<ReadonlyMap<string, Observed<T | undefined>>> {
  const entries = await pMap(
    [...new Set(names)],
    async (name) => {
      const found = await observe(async () => {
        const secret = await reads.read('discoverySecret', {name});
        return secret && parse(secret);
      });
      return [name, found] as const;
    },
    {concurrency: atOnce},
  );
  return new Map(entries);
}

/** The clusters in the remote secrets of a reader, each a data key, and how one is removed without the others. */
import {defined} from '../../defined.js';
import {remoteSecretName} from '../../discovery/names.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import type {IstiodClusters, PodPart, RemoteSecretFacts} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {groupBy} from '../../group-by.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import {memoizePerObject} from '../../memoize.js';
import type {Mesh, MeshCluster} from '../../mesh/mesh.js';
import {fixWith, type Suggestion, words} from '../../suggest/suggestion.js';
import type {ClusterSubject, PairSubject} from '../check.js';

/** One cluster in one Secret. */
export interface SecretEntry {
  /** In Istio's namespace. */
  readonly secret: string;
  /** The data key. */
  readonly id: string;
  /** What an istiod reports about it; absent if none does. */
  readonly status?: string;
  /** Another tool that writes the Secret, if known. */
  readonly managedBy?: string;
}

/** What reveals entries: istiods, the Secrets with usual names, and with `--access` all Secrets. */
export interface EntrySources {
  readonly istiodClusters?: readonly PodPart<IstiodClusters>[] | undefined;
  readonly remoteSecrets?: readonly PodPart<RemoteSecretFacts | 'absent'>[] | undefined;
  readonly remoteCredentials?: readonly RemoteCredential[] | undefined;
}

type InMesh = Pick<ClusterSubject, 'cluster' | 'mesh'>;

/** Returns the entries of a cluster's remote secrets, each once. */
export function entriesOf(
  {istiodClusters = [], remoteSecrets = [], remoteCredentials = []}: EntrySources,
  {mesh}: Pick<InMesh, 'mesh'>,
): readonly SecretEntry[] {
  const prefix = `${mesh.istio.namespace}/`;
  const reported = istiodClusters
    .flatMap(({value}) => value.known ?? [])
    .filter(({secretName}) => secretName.startsWith(prefix))
    .map(({id, secretName, status}): SecretEntry => ({id, secret: secretName.slice(prefix.length), status}));
  // The worst state decides.
  const sorted = reported.toSorted((one, other) => Number(one.status === synced) - Number(other.status === synced));
  // istiod does not read a Secret without the label.
  const credentials = remoteSecrets.flatMap(({value}) =>
    value !== 'absent' && value.labeled ? value.credentials : [],
  );
  const others = [...credentials, ...remoteCredentials].map(({cluster, secret, managedBy}) =>
    defined<SecretEntry>({id: cluster, secret, managedBy}),
  );
  const all = groupBy([...sorted, ...others], ({secret, id}) => `${secret} ${id}`);
  return [...all.values()].map((same) =>
    defined<SecretEntry>({...same[0], managedBy: same.find(({managedBy}) => managedBy !== undefined)?.managedBy}),
  );
}

/**
 * Removes an entry: its Secret if that has no others, otherwise its data key. It succeeds if the entry is removed already, as by
 * the command for another finding.
 */
export function removeEntry(
  {secret, id}: Pick<SecretEntry, 'secret' | 'id'>,
  all: readonly SecretEntry[],
  {cluster, mesh}: InMesh,
): Suggestion {
  const {namespace} = mesh.istio;
  const hasOthers = all.some((other) => other.secret === secret && other.id !== id);
  if (!hasOthers) return fixWith.kubectl(cluster, words`-n ${namespace} delete secret ${secret} --ignore-not-found`);
  // A JSON merge patch removes a field that is null, if there is one (RFC 7386).
  const patch = JSON.stringify({data: {[id]: null}});
  return fixWith.kubectl(cluster, words`-n ${namespace} patch secret ${secret} --type=merge -p ${patch}`);
}

/** The entries of a reader, as istiods and with `--access` all Secrets reveal them. */
export interface ReaderEntries {
  readonly all: readonly SecretEntry[];
  readonly byId: ReadonlyMap<string, readonly SecretEntry[]>;
}

/** Returns the entries of a reader: the same object for all its pairs, which are as many as the mesh has clusters. */
export function entriesOfReader(
  {istiodClusters = noClusters, remoteCredentials = noCredentials}: Omit<EntrySources, 'remoteSecrets'>,
  {mesh}: Pick<InMesh, 'mesh'>,
): ReaderEntries {
  return readerEntries(istiodClusters)(remoteCredentials)(mesh);
}

const noClusters: readonly PodPart<IstiodClusters>[] = [];
const noCredentials: readonly RemoteCredential[] = [];

const readerEntries = memoizePerObject((istiodClusters: readonly PodPart<IstiodClusters>[]) =>
  memoizePerObject((remoteCredentials: readonly RemoteCredential[]) =>
    memoizePerObject((mesh: Mesh): ReaderEntries => {
      const all = entriesOf({istiodClusters, remoteCredentials}, {mesh});
      return {all, byId: groupBy(all, ({id}) => id)};
    }),
  ),
);

/** The entries for a peer in Secrets other than the usual one. */
export function otherEntriesFor(peer: MeshCluster, {byId}: ReaderEntries): readonly SecretEntry[] {
  const usual = remoteSecretName(peer);
  return (byId.get(istioNameOf(peer)) ?? []).filter(({secret}) => secret !== usual);
}

/**
 * Removes what keeps istiod from reading the usual Secret for a peer: it ignores a second Secret for the same cluster. Entries
 * of other clusters stay.
 */
export function removeOthers(entries: ReaderEntries, subject: PairSubject): readonly Suggestion[] {
  return otherEntriesFor(subject.peer, entries).map((entry) => removeEntry(entry, entries.all, subject));
}

/** The clusters in the remote secrets of a reader, each a data key, and how one is removed without the others. */
import {remoteSecretName} from '../../discovery/names.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import type {IstiodClusters, PodPart, RemoteSecretFacts} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {groupBy} from '../../group-by.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
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
  const others = [...credentials, ...remoteCredentials].map(({cluster, secret}): SecretEntry => ({
    id: cluster,
    secret,
  }));
  const all = groupBy([...sorted, ...others], ({secret, id}) => `${secret} ${id}`);
  return [...all.values()].map(([first]) => first);
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

/** The Secrets other than the usual one that are for a peer. */
export function otherSecretsFor(peer: MeshCluster, entries: readonly SecretEntry[]): readonly string[] {
  const names = entries.flatMap(({id, secret}) => (id === istioNameOf(peer) ? [secret] : []));
  return [...new Set(names)].filter((name) => name !== remoteSecretName(peer));
}

/**
 * Removes what keeps istiod from reading the usual Secret for a peer: it ignores a second Secret for the same cluster. Entries
 * of other clusters stay.
 */
export function removeOthers(entries: readonly SecretEntry[], subject: PairSubject): readonly Suggestion[] {
  const id = istioNameOf(subject.peer);
  return otherSecretsFor(subject.peer, entries).map((secret) => removeEntry({secret, id}, entries, subject));
}

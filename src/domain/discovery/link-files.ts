/** The manifests of `link --output-dir`: everything that link would create, without the tokens. */
import type {KubeObject} from '../kube/object.js';
import {manifestText} from '../kube/manifest-text.js';
import type {MeshCluster, MeshDiscovery} from '../mesh/mesh.js';
import {externalSecret, tokenKey, type TokenStore} from './external-secret.js';
import {readerSecretName, readerServiceAccount} from './names.js';
import type {DiscoveryPair} from './pairs.js';
import {readerRbac} from './reader-rbac.js';
import {readerSecretObject} from './reader-secret.js';
import type {ApiServerAddress} from './remote-kubeconfig.js';

/** One file for one cluster. */
export interface LinkFile {
  readonly cluster: string;
  /** Relative to the directory: `cluster1/remote-secrets.yaml`. */
  readonly path: string;
  readonly comment: readonly string[];
  readonly objects: readonly KubeObject[];
}

/** The mesh's settings that the manifests contain. */
export interface LinkFilesOptions {
  /** Istio's namespace. */
  readonly namespace: string;
  /** Declared revisions of the control plane; empty if there is only the default one. */
  readonly revisions: readonly string[];
  readonly discovery: MeshDiscovery;
  readonly store: TokenStore;
}

/** Returns the files for pairs, whose peers have these addresses, by cluster in the order of the pairs. */
export function linkFiles(
  pairs: readonly DiscoveryPair[],
  addresses: ReadonlyMap<string, ApiServerAddress>,
  options: LinkFilesOptions,
): readonly LinkFile[] {
  const clusters = new Map(pairs.flatMap(({reader, peer}) => [reader, peer]).map((one) => [one.name, one]));
  return [...clusters.values()].flatMap((cluster) => {
    const readers = pairs.flatMap(({reader, peer}) => (peer.name === cluster.name ? [reader] : []));
    const own = pairs.filter(({reader}) => reader.name === cluster.name);
    return [
      ...(readers.length === 0 ? [] : [accountFile(cluster, options), readerSecretsFile(cluster, readers, options)]),
      ...(own.length === 0 ? [] : [remoteSecretsFile(cluster, own, addresses, options)]),
    ];
  });
}

function accountFile(cluster: MeshCluster, {namespace, revisions}: LinkFilesOptions): LinkFile {
  const places = revisions.length === 0 ? [undefined] : revisions;
  // The service account is the same for all revisions.
  const objects = places.flatMap((revision, index) => {
    const all = readerRbac({namespace, role: cluster.role, ...(revision !== undefined && {revision})});
    return index === 0 ? all : all.slice(1);
  });
  return {
    cluster: cluster.name,
    path: `${cluster.name}/reader-account.yaml`,
    comment: [
      `The service account as which other clusters read ${cluster.name}, with its rights.`,
      "Istio's installation creates the same objects, unless global.enableReaderRBAC is false: apply them only in that case.",
    ],
    objects,
  };
}

function readerSecretsFile(
  {name}: MeshCluster,
  readers: readonly MeshCluster[],
  {namespace, discovery: {token}}: LinkFilesOptions,
): LinkFile {
  const kind =
    token === 'secret' ? 'The token controller writes a long-lived token into each.' : 'Tokens are bound to them.';
  return {
    cluster: name,
    path: `${name}/reader-secrets.yaml`,
    comment: [`A Secret for each cluster that reads ${name}. ${kind}`, 'Deleting one ends the access of that cluster.'],
    objects: readers.map((reader) => readerSecretObject(reader, namespace, token)),
  };
}

function remoteSecretsFile(
  cluster: MeshCluster,
  own: readonly DiscoveryPair[],
  addresses: ReadonlyMap<string, ApiServerAddress>,
  options: LinkFilesOptions,
): LinkFile {
  const {namespace, store, discovery} = options;
  return {
    cluster: cluster.name,
    path: `${cluster.name}/remote-secrets.yaml`,
    comment: [
      `The remote secrets with which istiod of ${cluster.name} reads other clusters. External Secrets fills in each token from`,
      `${store.kind} ${store.name}. Put the output of these commands, run in the cluster that is read, into the store, and again`,
      discovery.token === 'secret' ? 'when a Secret was created again:' : 'before a token expires:',
      ...own.flatMap((pair) => [
        `  ${pair.peer.name}, key ${tokenKey(pair, store)}${store.property === undefined ? '' : `, property ${store.property}`}:`,
        `    ${tokenCommand(pair, options)}`,
      ]),
    ],
    objects: own.flatMap((pair) => {
      const address = addresses.get(pair.peer.name);
      return address ? [externalSecret(pair, namespace, address, store)] : [];
    }),
  };
}

/** kubernetes.io: reference/kubectl/generated/kubectl_create/kubectl_create_token. The duration is a Go duration. */
function tokenCommand({reader}: DiscoveryPair, {namespace, discovery}: LinkFilesOptions): string {
  const secret = readerSecretName(reader, discovery.token);
  if (discovery.token === 'secret') {
    return `kubectl -n ${namespace} get secret ${secret} -o go-template='{{.data.token | base64decode}}'`;
  }
  const duration = `--duration ${String(discovery.tokenLifetimeDays * 24)}h`;
  const bound = `--bound-object-kind Secret --bound-object-name ${secret}`;
  return `kubectl -n ${namespace} create token ${readerServiceAccount} ${bound} ${duration}`;
}

/** Returns a file's text. */
export function linkFileText({comment, objects}: Pick<LinkFile, 'comment' | 'objects'>): string {
  return manifestText(['Generated by kubectl mesh link --output-dir.', ...comment], objects);
}

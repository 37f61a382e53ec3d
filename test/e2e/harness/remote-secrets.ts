/** Remote secrets of a running mesh: what a test reads in them, and what it does to them as people and time do. */
import {createPrivateKey, sign} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {request} from 'node:https';
import {parse, stringify} from 'yaml';
import type {DataResource} from './api.js';
import type {Cluster} from './cluster.js';
import {fetchText} from './port-forward.js';
import {HarnessError} from './processes.js';

const secrets = '/api/v1/namespaces/istio-system/secrets';

/** A kubeconfig in a remote secret, as far as tests change it. */
export interface RemoteKubeconfig {
  readonly clusters: readonly {readonly cluster: Record<string, string>}[];
  readonly users: readonly {readonly user: Record<string, string>}[];
}

/** A reader's remote secret for a peer. */
export async function remoteSecret(reader: Cluster, peer: string): Promise<DataResource> {
  return reader.api.get<DataResource>(`${secrets}/istio-remote-secret-${peer}`);
}

/** The kubeconfig with which a reader reads a peer. */
export async function remoteKubeconfig(reader: Cluster, peer: string): Promise<RemoteKubeconfig> {
  const {data} = await remoteSecret(reader, peer);
  return parse(Buffer.from(data?.[peer] ?? '', 'base64').toString('utf8')) as RemoteKubeconfig;
}

/** The token with which a reader reads a peer. */
export async function readerToken(reader: Cluster, peer: string): Promise<string> {
  const token = (await remoteKubeconfig(reader, peer)).users[0]?.user.token;
  if (token === undefined) throw new HarnessError(`${reader.name} has no token for ${peer}`);
  return token;
}

/** Changes a remote secret's data in place, as `kubectl edit` does. */
export async function editRemoteSecret(
  reader: Cluster,
  peer: string,
  change: (data: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
): Promise<void> {
  const before = await remoteSecret(reader, peer);
  const gone = Object.fromEntries(Object.keys(before.data ?? {}).map((key) => [key, null]));
  const data = {...gone, ...change(before.data ?? {})};
  await reader.api.patch(`${secrets}/istio-remote-secret-${peer}`, {data});
}

/** Changes the kubeconfig in a remote secret in place. */
export async function editRemoteKubeconfig(
  reader: Cluster,
  peer: string,
  change: (config: RemoteKubeconfig) => void,
): Promise<void> {
  const config = await remoteKubeconfig(reader, peer);
  change(config);
  const text = Buffer.from(stringify(config)).toString('base64');
  await editRemoteSecret(reader, peer, () => ({[peer]: text}));
}

/** Deletes a reader's remote secret for a peer. */
export async function deleteRemoteSecret(reader: Cluster, peer: string): Promise<void> {
  await reader.api.remove(`${secrets}/istio-remote-secret-${peer}`);
}

/** Creates a remote secret with the data of another one. */
export async function createRemoteSecret(reader: Cluster, name: string, {metadata, data}: DataResource): Promise<void> {
  const {labels, annotations} = metadata;
  await reader.api.create(secrets, {apiVersion: 'v1', kind: 'Secret', metadata: {name, labels, annotations}, data});
}

/** Days before (negative) or after now. */
export interface TokenTimes {
  readonly issued: number;
  readonly expires: number;
}

/** A token of a cluster's API server as it would be had it been issued at another time: signed again with the server's key. */
export function withTimes(issuer: Cluster, token: string, {issued, expires}: TokenTimes): string {
  const [header = '', payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
  const at = (days: number): number => Math.floor(Date.now() / 1000) + days * 86_400;
  const times = {iat: at(issued), nbf: at(issued), exp: at(expires)};
  const body = `${header}.${Buffer.from(JSON.stringify({...claims, ...times})).toString('base64url')}`;
  const key = createPrivateKey(readFileSync(issuer.tokenKey));
  // JWS has the two numbers of an ECDSA signature one after the other (RFC 7518, 3.4); an RSA key ignores this.
  return `${body}.${sign('sha256', Buffer.from(body), {key, dsaEncoding: 'ieee-p1363'}).toString('base64url')}`;
}

/** The HTTP status of a new request to a cluster's API server with a token. */
export function statusWith({api}: Cluster, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {authorization: `Bearer ${token}`};
    const sent = request(`${api.server}/api/v1/services`, {ca: api.ca, headers, agent: false}, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

/** A row of istiod's /debug/clusterz. */
export interface KnownCluster {
  readonly id: string;
  /** NAMESPACE/NAME; empty for istiod's own cluster. */
  readonly secretName: string;
  readonly syncStatus: string;
}

/** The clusters that a cluster's istiod knows, except for its own. */
export async function knownClusters(reader: Cluster): Promise<readonly KnownCluster[]> {
  const pod = await reader.kubelet?.readyIstiod();
  const rows = JSON.parse(await fetchText(pod?.ports[15014] ?? 0, '/debug/clusterz')) as KnownCluster[];
  return rows.filter(({secretName}) => secretName !== '');
}

/**
 * The kubeconfig in a remote secret, with which istiod reads a peer: what `istioctl create-remote-secret` writes
 * (istio/istio istioctl/pkg/multicluster/remote_secret.go, createBearerTokenKubeconfig), plus a proxy, which istioctl drops.
 * Fields: k8s.io/client-go tools/clientcmd/api/v1/types.go.
 */
import {createHash} from 'node:crypto';
import {defined} from '../defined.js';
import * as z from 'zod';
import {stringify} from 'yaml';
import {parseForeignYaml} from '../foreign-yaml.js';
import {LatestResults} from '../memoize.js';
import {Sensitive} from '../sensitive.js';
import {readTokenClaims, type TokenClaims} from './token.js';

/** How the pods of other clusters reach a cluster's API server. */
export interface ApiServerAddress {
  /** `https://…`, with a path behind some front ends. */
  readonly url: string;
  /** The CA of the server's certificate: PEM, encoded in base64. Absent: the roots of istiod's image. */
  readonly caData?: string;
  /** The name in the server's certificate, if the URL has another one. */
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
}

/** What a kubeconfig in a remote secret contains. */
export interface RemoteKubeconfig {
  /** Absent: it names no server. */
  readonly address?: ApiServerAddress;
  /** The CA is a file, which istiod's pod does not have. */
  readonly caFile?: string;
  /** The server's certificate is not verified. */
  readonly insecure?: true;
  readonly token?: Sensitive<string>;
  /** Absent: no token, or one that reveals nothing. */
  readonly claims?: TokenClaims;
  /** A client certificate, PEM. */
  readonly clientCertificate?: string;
  /** What authenticates istiod in place of a token, for messages: `a client certificate`. Absent: nothing, or there is a token. */
  readonly otherCredential?: string;
  /** The fields for which istiod rejects the kubeconfig: `exec`, `tokenFile`. */
  readonly rejected: readonly string[];
}

/** Go does not distinguish an empty or null string from an absent one. */
const text = z
  .string()
  .nullish()
  .transform((value) => (value === '' ? undefined : (value ?? undefined)))
  .optional();

/** The fields of a cluster, in any kubeconfig. */
export const clusterFields = {
  server: text,
  'certificate-authority-data': text,
  'certificate-authority': text,
  'tls-server-name': text,
  'proxy-url': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
};

const userFields = {
  token: text,
  tokenFile: text,
  username: text,
  'client-certificate-data': text,
  'client-certificate': text,
  'client-key': text,
  exec: z.unknown().optional(),
  'auth-provider': z.object({name: z.string().optional()}).optional(),
};

const schema = z.object({
  'current-context': z.string().optional(),
  contexts: z
    .array(
      z.object({name: z.string(), context: z.object({cluster: z.string().optional(), user: z.string().optional()})}),
    )
    .default([]),
  clusters: z.array(z.object({name: z.string(), cluster: z.object(clusterFields)})).default([]),
  users: z.array(z.object({name: z.string(), user: z.object(userFields)})).default([]),
});

/**
 * Reads a kubeconfig. istioctl writes one cluster and one user; if there are several, istiod uses those of the current
 * context. Undefined for text that is not a kubeconfig.
 */
export function readRemoteKubeconfig(text: string): RemoteKubeconfig | undefined {
  const at = text.lastIndexOf(tokenField) + tokenField.length;
  const [, token] = jwtAtEnd.exec(text.slice(at)) ?? [];
  if (token === undefined) return parsed(text);
  const before = text.slice(0, at);
  const key = createHash('sha256').update(before).digest('hex');
  const {kubeconfig} = latest.get(key, () => ({kubeconfig: parsedBefore(before, key)}));
  // A part of a text keeps the whole text in memory, so the token is copied.
  return kubeconfig ? withToken(kubeconfig, Buffer.from(token).toString()) : parsed(text);
}

const tokenField = ' token: ';

/** In YAML, such a word is a string wherever it is a value, so the rest of the kubeconfig does not depend on it. */
const jwtAtEnd = /^([A-Za-z][\w-]*(?:\.[\w-]+){2})\n?$/;

/** All readers have the same kubeconfig of a peer, but for the token, which is its last value. */
const latest = new LatestResults<{readonly kubeconfig: RemoteKubeconfig | undefined}>(1024);

/**
 * Reads a kubeconfig that ends before a token; undefined unless it is the token that istiod uses. The hash of the text is part of the
 * placeholder, so that the text cannot contain it in any notation.
 */
function parsedBefore(before: string, hash: string): RemoteKubeconfig | undefined {
  const placeholder = `a.b.${hash}`;
  const kubeconfig = parsed(`${before}${placeholder}\n`);
  const isUsed = kubeconfig?.token?.test((token) => token === placeholder) === true;
  return isUsed ? kubeconfig : undefined;
}

/** An object that is spread and extended takes V8 several times as much memory as one that is not, as each has its own shape. */
function withToken(kubeconfig: RemoteKubeconfig, token: string): RemoteKubeconfig {
  const {address, caFile, insecure, clientCertificate, otherCredential, rejected} = kubeconfig;
  const rest = {address, caFile, insecure, clientCertificate, otherCredential, rejected};
  return defined({...rest, token: new Sensitive(token), claims: readTokenClaims(token)});
}

function parsed(text: string): RemoteKubeconfig | undefined {
  try {
    const {contexts, clusters, users, ...file} = schema.parse(parseForeignYaml(text));
    const context = contexts.find(({name}) => name === file['current-context'])?.context;
    const cluster = only(clusters, context?.cluster)?.cluster ?? {};
    const user = only(users, context?.user)?.user ?? {};
    const {server, 'certificate-authority': caFile} = cluster;
    return defined<RemoteKubeconfig>({
      address: server === undefined ? undefined : addressOf(server, cluster),
      caFile,
      insecure: cluster['insecure-skip-tls-verify'] === true ? true : undefined,
      token: user.token === undefined ? undefined : new Sensitive(user.token),
      claims: user.token === undefined ? undefined : readTokenClaims(user.token),
      clientCertificate: fromBase64(user['client-certificate-data']),
      otherCredential: user.token === undefined ? otherCredential(user) : undefined,
      rejected: users.flatMap((one) => rejectedFields(one.user)),
    });
  } catch {
    return undefined;
  }
}

type User = z.output<typeof schema>['users'][number]['user'];
type Cluster = z.output<typeof schema>['clusters'][number]['cluster'];

function only<Named extends {readonly name: string}>(
  entries: readonly Named[],
  name: string | undefined,
): Named | undefined {
  return entries.length === 1 ? entries[0] : entries.find((one) => one.name === name);
}

/** The address in a cluster's entry. */
export function addressOf(url: string, cluster: Omit<Cluster, 'server'>): ApiServerAddress {
  return defined({
    url,
    caData: cluster['certificate-authority-data'],
    tlsServerName: cluster['tls-server-name'],
    proxyUrl: cluster['proxy-url'],
  });
}

function fromBase64(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
}

/**
 * What authenticates a client that has no token (istio/istio pkg/kube/util.go, sanitizeKubeConfig, keeps these fields;
 * k8s.io/client-go tools/clientcmd/client_config.go, getUserIdentificationPartialConfig).
 */
function otherCredential(user: User): string | undefined {
  const isSet = (field: keyof User): boolean => ![undefined, null, ''].includes(user[field] as string | undefined);
  if (isSet('client-certificate-data') || isSet('client-certificate')) return 'a client certificate';
  if (isSet('username')) return 'a user name with a password';
  if (isSet('auth-provider')) return `auth-provider ${user['auth-provider']?.name ?? ''}`.trim();
  return (['tokenFile', 'exec'] as const).find(isSet);
}

/**
 * The fields that istiod does not accept since 1.11.6 and 1.12.1, unless PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS lists
 * them (istio/istio pkg/kube/util.go, sanitizeKubeConfig).
 */
function rejectedFields(user: User): readonly string[] {
  const provider = user['auth-provider'];
  return [
    ...(provider && provider.name !== 'oidc' ? [`auth-provider ${provider.name ?? ''}`.trim()] : []),
    ...(['client-key', 'client-certificate', 'tokenFile'] as const).filter((field) => user[field] !== undefined),
    ...(user.exec === undefined || user.exec === null ? [] : ['exec']),
  ];
}

/** Returns the kubeconfig for a peer. `istioName` is Istio's name of it, as in istioctl's. */
export function writeRemoteKubeconfig(
  istioName: string,
  {url, caData, tlsServerName, proxyUrl}: ApiServerAddress,
  token: string,
): string {
  const cluster = defined<Record<string, string>>({
    'certificate-authority-data': caData,
    'proxy-url': proxyUrl,
    server: url,
    'tls-server-name': tlsServerName,
  });
  return stringify({
    apiVersion: 'v1',
    clusters: [{cluster, name: istioName}],
    contexts: [{context: {cluster: istioName, user: istioName}, name: istioName}],
    'current-context': istioName,
    kind: 'Config',
    users: [{name: istioName, user: {token}}],
  });
}

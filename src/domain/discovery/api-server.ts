/** How the pods of other clusters reach a cluster's API server: which address link writes, and which addresses cannot work. */
import {BlockList, isIP} from 'node:net';
import {defined} from '../defined.js';
import {type ErrorReport, problem} from '../errors.js';
import type {MeshFileCluster} from '../mesh/schema.js';
import {layout} from '../mesh/layout.js';
import {printableUrl} from '../printable-url.js';
import {advice, edit, inWorkDir} from '../suggest/suggestion.js';
import {caDifference} from './api-server-ca.js';
import type {ApiServerAddress} from './remote-kubeconfig.js';

/** Where an address is declared: `apiServer` in mesh.yaml, or the user's kubeconfig. */
export type AddressSource = 'mesh.yaml' | 'kubeconfig';

/** A cluster's API server as its kubeconfig context reaches it. */
export interface KubeconfigAddress extends ApiServerAddress {
  /** The server's certificate is not verified. */
  readonly insecure?: true;
}

/** The address for a cluster's remote secrets. */
export interface ResolvedApiServer {
  readonly address: ApiServerAddress;
  readonly source: AddressSource;
  /** The kubeconfig does not verify the server's certificate. */
  readonly insecure?: true;
}

/**
 * Returns the address for a cluster's remote secrets: `apiServer` in mesh.yaml, otherwise the server in the kubeconfig.
 * `rootCa`: data `ca.crt` of ConfigMap kube-root-ca.crt in the cluster, PEM: the CA of an address that mesh.yaml declares
 * without one. A kubeconfig without a CA means that public roots verify the server, which another CA would not; istiod's
 * images contain public roots (1.31.0:docker/Dockerfile.base, ca-certificates; Dockerfile.distroless, whose base image
 * contains root certificates: edu.chainguard.dev/chainguard/chainguard-images/overview). Undefined if there is no address at
 * all.
 */
export function resolveApiServer(
  {apiServer}: Pick<MeshFileCluster, 'apiServer'>,
  kubeconfig: KubeconfigAddress | undefined,
  rootCa: string | undefined,
): ResolvedApiServer | undefined {
  const withCa = (address: ApiServerAddress): ApiServerAddress =>
    defined({...address, caData: address.caData ?? (rootCa === undefined ? undefined : toCaData(rootCa))});
  if (apiServer) return {address: withCa(apiServer), source: 'mesh.yaml'};
  if (!kubeconfig) return undefined;
  const {insecure, ...address} = kubeconfig;
  return insecure === true
    ? {address: withCa(address), source: 'kubeconfig', insecure}
    : {address, source: 'kubeconfig'};
}

/** Reports whether {@link resolveApiServer} needs a cluster's kube-root-ca.crt for an address that link can write. */
export function needsRootCa({apiServer}: Pick<MeshFileCluster, 'apiServer'>): boolean {
  return apiServer !== undefined && apiServer.caData === undefined;
}

/** PEM as a field of a kubeconfig. */
export function toCaData(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

/**
 * The fields in which an address differs from the wanted one, as mesh.yaml names them. A CA differs if it contains none of the
 * wanted certificates.
 */
export function addressDifferences(
  address: ApiServerAddress,
  wanted: ApiServerAddress,
): readonly (keyof ApiServerAddress)[] {
  const differs: Readonly<Record<keyof ApiServerAddress, boolean>> = {
    url: normalUrl(address.url) !== normalUrl(wanted.url),
    caData: caDifference(address.caData, wanted.caData) === 'other',
    tlsServerName: address.tlsServerName !== wanted.tlsServerName,
    proxyUrl: normalUrl(address.proxyUrl) !== normalUrl(wanted.proxyUrl),
  };
  return (['url', 'caData', 'tlsServerName', 'proxyUrl'] as const).filter((field) => differs[field]);
}

/** The parser writes a host in lower case, and leaves out the default port (RFC 3986, 6.2.2.1, 6.2.3). */
function normalUrl(text = ''): string {
  const url = URL.canParse(text) ? new URL(text).href : text;
  return url.replace(/\/+$/, '');
}

/**
 * Returns why pods of other clusters cannot use an address; undefined if they can. `LOCAL_ADDRESS`: only the
 * workstation reaches it (`--allow-local-address` overrides). `INSECURE_API_SERVER`: its certificate is not verified.
 * `URL_CREDENTIALS`: with it, other clusters would get the user's password.
 */
export function addressProblem(
  cluster: string,
  {address, source, insecure}: ResolvedApiServer,
): ErrorReport | undefined {
  const declare = () =>
    advice`declare apiServer.url of ${cluster}, as pods of other clusters reach it: ${edit(inWorkDir(layout.meshYaml))}`;
  if (insecure === true) {
    const message = `the kubeconfig does not verify the API server of ${cluster} (insecure-skip-tls-verify), so its address is not written to other clusters`;
    return problem('INSECURE_API_SERVER', message, declare());
  }
  if (hasCredentials(address.url)) {
    const message = `the server of ${cluster} in the kubeconfig contains credentials, which are not written to other clusters`;
    return problem('URL_CREDENTIALS', message, declare());
  }
  const local = localPart(address, source);
  if (!local) return undefined;
  const what = local.field === 'url' ? 'address' : 'proxy';
  const message = `pods of other clusters cannot use the API server ${what} of ${cluster} in ${source === 'kubeconfig' ? 'the kubeconfig' : source}, ${printableUrl(local.url)}: ${local.reason}`;
  const override = 'if all control planes run on this machine, use --allow-local-address';
  return problem('LOCAL_ADDRESS', message, declare(), override);
}

/** Whether a URL contains a user or a password (RFC 3986, 3.2.1). */
export function hasCredentials(url: string): boolean {
  return /^[^/?#]*:\/\/[^/?#]*@/.test(url);
}

/** The part of an address that only the workstation reaches: `it is a loopback address`. */
export interface LocalPart {
  readonly field: 'url' | 'proxyUrl';
  readonly url: string;
  readonly reason: string;
}

/** Returns the part of an address that pods of other clusters cannot use; undefined if there is none. */
export function localPart(address: ApiServerAddress, source: AddressSource): LocalPart | undefined {
  for (const field of ['url', 'proxyUrl'] as const) {
    const url = address[field];
    const reason = url === undefined ? undefined : localReason(url, source);
    if (url !== undefined && reason !== undefined) return {field, url, reason};
  }
  return undefined;
}

/** Addresses that mean another host wherever they are used (RFC 1122, 3.2.1.3; RFC 3927; RFC 4291, 2.4, 2.5.2, 2.5.3). */
const ranges = [
  {subnets: [['127.0.0.0', 8, 'ipv4'] as const, ['::1', 128, 'ipv6'] as const], what: 'a loopback address'},
  {subnets: [['0.0.0.0', 8, 'ipv4'] as const, ['::', 128, 'ipv6'] as const], what: 'an unspecified address'},
  {subnets: [['169.254.0.0', 16, 'ipv4'] as const, ['fe80::', 10, 'ipv6'] as const], what: 'a link-local address'},
].map(({subnets, what}) => {
  const list = new BlockList();
  for (const [net, prefix, family] of subnets) list.addSubnet(net, prefix, family);
  return {list, what};
});

/** A name for a loopback address wherever it is used (RFC 6761, 6.3). */
const loopbackName = {pattern: /(^|\.)localhost$/, what: 'it is the host that uses it'} as const;

/**
 * Names that other clusters usually do not resolve: mDNS (RFC 6762, 3), Docker Desktop (docs.docker.com:
 * desktop/features/networking), a cluster's own Services (kubernetes.io: concepts/services-networking/dns-pod-service), and names
 * without a domain. In mesh.yaml they are accepted: a user who declares one there states that pods of other clusters resolve
 * it, as where all clusters are containers on one network.
 */
const localNames: readonly {readonly pattern: RegExp; readonly what: string}[] = [
  loopbackName,
  {pattern: /^(host|kubernetes|gateway)\.docker\.internal$/, what: 'only Docker Desktop resolves it'},
  {pattern: /\.svc(\.cluster\.local)?$/, what: 'it is a Service of the cluster that uses it'},
  {pattern: /\.local$/, what: 'only hosts on the local network resolve it'},
  {pattern: /^[^.:]+$/, what: 'only this workstation or its network resolves a name without a domain'},
];

function localReason(text: string, source: AddressSource): string | undefined {
  let host: string;
  try {
    // The parser normalizes every notation of an IP address in an https URL.
    host = new URL(text).hostname
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, '')
      .toLowerCase();
  } catch {
    return 'it is not a URL';
  }
  const family = isIP(host);
  const names = source === 'mesh.yaml' ? [loopbackName] : localNames;
  if (family === 0) return names.find(({pattern}) => pattern.test(host))?.what;
  const range = ranges.find(({list}) => list.check(host, family === 4 ? 'ipv4' : 'ipv6'));
  return range && `it is ${range.what}`;
}

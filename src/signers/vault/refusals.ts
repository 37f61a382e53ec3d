/** What Vault and OpenBao say when they refuse, and what can be done about it. */
import * as z from 'zod';
import {MeshError} from '../../domain/errors.js';
import {nearest} from '../../domain/nearest.js';
import {printableLine} from '../../domain/printable.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice, fixWith, type Hint, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {VaultClient, VaultResponse} from './client.js';
import type {VaultSettings} from './settings.js';

/** What was tried. */
export interface RefusedRequest {
  readonly client: VaultClient;
  /** Below /v1/. */
  readonly path: string;
  readonly token?: Sensitive<string> | undefined;
}

/** The error for a refusal of anything below the mount. */
export async function explainRefusal(reply: VaultResponse, refused: RefusedRequest): Promise<MeshError> {
  const {settings} = refused.client;
  const {mount, what} = settings;
  if (/namespace not found/i.test(reply.error)) return noNamespaceError(settings);
  if (reply.status === 404 && /no handler for route/i.test(reply.error)) return noMountError(settings);
  if (reply.status === 403) {
    return refused.token === undefined ? noMountError(settings) : explainForbidden(refused, refused.token);
  }
  if (/unable to find PKI issuer|no default issuer|could not fetch the CA certificate/i.test(reply.error)) {
    return noIssuerError(reply, refused);
  }
  if (reply.status === 404 || reply.status === 405) {
    return refusedError(`${mount} at ${settings.http.address.host} is not a PKI secrets engine`, [
      'Name the mount of the PKI engine with mount under trust.signer (default: pki)',
    ]);
  }
  return refusedError(`${what} refuses: ${reply.error === '' ? `status ${String(reply.status)}` : reply.error}`, []);
}

const tokenSchema = z.looseObject({policies: z.array(z.string()).nullish()});

/** The error for a token that may not do something, and for one that is none any more: both are answered alike. */
export async function explainForbidden(
  {client, path}: Omit<RefusedRequest, 'token'>,
  token: Sensitive<string>,
): Promise<MeshError> {
  const {mount, http} = client.settings;
  const {host} = http.address;
  const itself = await client.send({method: 'GET', path: 'auth/token/lookup-self', token}, tokenSchema);
  // A token without the default policy may not look at itself.
  if (!itself.ok && !(await canUseMount(client, token))) {
    return refusedError(`${host} does not know the token: it has expired, was revoked, or is another server's`, [
      advice`Log in again: ${fixWith.run('vault', ['login'])}, or a new VAULT_TOKEN`,
      'A token belongs to a namespace, too: VAULT_NAMESPACE',
    ]);
  }
  const policies = (itself.data?.policies ?? []).map(printableLine).join(', ');
  const whose = policies === '' ? 'the token' : `the token (policies: ${policies})`;
  return refusedError(`permission denied: ${whose} may not update ${path} at ${host}`, [
    `A policy for it: path "${path}" { capabilities = ["update"] }`,
    `If no PKI engine is mounted at ${mount}: name the right mount under trust.signer`,
  ]);
}

/** Whether a token may do anything in the mount: this question needs no policy of its own. */
export async function canUseMount(client: VaultClient, token: Sensitive<string>): Promise<boolean> {
  const path = `sys/internal/ui/mounts/${client.settings.mount}`;
  return (await client.send({method: 'GET', path, token})).ok;
}

export function noNamespaceError({namespace, http}: VaultSettings): MeshError {
  return refusedError(`${http.address.host} has no namespace ${namespace ?? ''}`, [
    'Set VAULT_NAMESPACE, or namespace under trust.signer; it is the whole path, such as acme/mesh',
  ]);
}

/** Where nothing is mounted, a question without a token is answered with "permission denied". */
function noMountError({mount, namespace, http}: VaultSettings): MeshError {
  const where = `${http.address.host}${namespace === undefined ? '' : ` (namespace ${namespace})`}`;
  return refusedError(`there is no PKI secrets engine at ${mount} on ${where}`, [
    advice`Name its mount with mount under trust.signer (default: pki); ${inspectWith.run('vault', words`secrets list`)} shows all`,
    ...(namespace === undefined ? ['Where the server has namespaces: VAULT_NAMESPACE'] : []),
  ]);
}

const listSchema = z.looseObject({
  keys: z.array(z.string()),
  key_info: z
    .record(z.string(), z.looseObject({issuer_name: z.string().nullish(), key_id: z.string().nullish()}))
    .nullish(),
});

async function noIssuerError(reply: VaultResponse, {client, token}: RefusedRequest): Promise<MeshError> {
  const {mount, issuer, http} = client.settings;
  // Anybody may ask for the list (api-docs/secret/pki/issuance, List issuers); a server that does not tell says no more.
  const question = {method: 'GET', path: `${mount}/issuers`, query: 'list=true', token} as const;
  const {keys = [], key_info: info} = (await client.send(question, listSchema)).data ?? {};
  // Certificates without a key are there to complete chains.
  const signing = keys.filter((id) => info?.[id]?.key_id !== '');
  const names = signing.map((id) => printableLine(info?.[id]?.issuer_name ?? '') || printableLine(id));
  const there = names.length > 0 ? [`There are: ${names.slice(0, 20).join(', ')}`] : [];
  if (issuer === undefined) {
    return refusedError(`${mount} at ${http.address.host} has no default issuer: ${reply.error}`, [
      ...there,
      names.length > 0 ? 'Name one with issuer under trust.signer' : 'Import or generate its CA first',
    ]);
  }
  const close = nearest(issuer, names);
  return refusedError(`${mount} at ${http.address.host} has no issuer ${issuer}`, [
    ...(close === undefined ? [] : [`Did you mean ${close}?`]),
    ...there,
  ]);
}

export function refusedError(message: string, hints: readonly Hint[]): MeshError {
  return new MeshError('SIGNER_REFUSED', message, {hints});
}

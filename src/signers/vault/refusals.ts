/** Explains refusals by Vault and OpenBao, with hints. */
import * as z from 'zod';
import {MeshError} from '../../domain/errors.js';
import {nearest} from '../../domain/nearest.js';
import {printableLine} from '../../domain/printable.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice, fixWith, type Hint, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {VaultClient, VaultResponse} from './client.js';
import type {VaultSettings} from './settings.js';

/** The refused request. */
export interface RefusedRequest {
  readonly client: VaultClient;
  /** Below /v1/. */
  readonly path: string;
  readonly token?: Sensitive<string> | undefined;
}

/** Returns the error for a refused request below the mount. */
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
      "set mount under trust.signer to the PKI engine's mount (default: pki)",
    ]);
  }
  return refusedError(
    `${what} refused the request: ${reply.error === '' ? `status ${String(reply.status)}` : reply.error}`,
    [],
  );
}

const tokenSchema = z.looseObject({policies: z.array(z.string()).nullish()});

/** Returns the error for a token without permission, or an expired token: the server's response is the same for both. */
export async function explainForbidden(
  {client, path}: Omit<RefusedRequest, 'token'>,
  token: Sensitive<string>,
): Promise<MeshError> {
  const {mount, http} = client.settings;
  const {host} = http.address;
  const itself = await client.send({method: 'GET', path: 'auth/token/lookup-self', token}, tokenSchema);
  // A token without the default policy has no permission for lookup-self.
  if (!itself.ok && !(await canUseMount(client, token))) {
    return refusedError(`${host} does not accept the token: it expired, was revoked, or belongs to another server`, [
      advice`log in again: ${fixWith.run('vault', ['login'])}, or set a new VAULT_TOKEN`,
      'check VAULT_NAMESPACE: a token belongs to a namespace',
    ]);
  }
  const policies = (itself.data?.policies ?? []).map(printableLine).join(', ');
  const whose = policies === '' ? 'the token' : `the token (policies: ${policies})`;
  return refusedError(`permission denied: ${whose} may not update ${path} at ${host}`, [
    `add this policy to the token: path "${path}" { capabilities = ["update"] }`,
    `if the PKI engine is not mounted at ${mount}, set mount under trust.signer`,
  ]);
}

/** Whether a token may do anything in the mount: this request needs no policy. */
export async function canUseMount(client: VaultClient, token: Sensitive<string>): Promise<boolean> {
  const path = `sys/internal/ui/mounts/${client.settings.mount}`;
  return (await client.send({method: 'GET', path, token})).ok;
}

export function noNamespaceError({namespace, http}: VaultSettings): MeshError {
  return refusedError(`${http.address.host} has no namespace ${namespace ?? ''}`, [
    'set VAULT_NAMESPACE, or namespace under trust.signer, to the full path, such as acme/mesh',
  ]);
}

/** If nothing is mounted, the response to a request without a token is "permission denied". */
function noMountError({mount, namespace, http}: VaultSettings): MeshError {
  const where = `${http.address.host}${namespace === undefined ? '' : ` (namespace ${namespace})`}`;
  return refusedError(`no PKI secrets engine is mounted at ${mount} on ${where}`, [
    advice`set mount under trust.signer (default: pki); to list all mounts: ${inspectWith.run('vault', words`secrets list`)}`,
    ...(namespace === undefined ? ['if the server has namespaces, set VAULT_NAMESPACE'] : []),
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
  // Listing issuers requires no permission (api-docs/secret/pki/issuance, List issuers); if it fails, the hint is
  // omitted.
  const request = {method: 'GET', path: `${mount}/issuers`, query: 'list=true', token} as const;
  const {keys = [], key_info: info} = (await client.send(request, listSchema)).data ?? {};
  // Certificates without a key only complete chains.
  const signing = keys.filter((id) => info?.[id]?.key_id !== '');
  const names = signing.map((id) => printableLine(info?.[id]?.issuer_name ?? '') || printableLine(id));
  const available = names.length > 0 ? [`available issuers: ${names.slice(0, 20).join(', ')}`] : [];
  if (issuer === undefined) {
    return refusedError(`${mount} at ${http.address.host} has no default issuer: ${reply.error}`, [
      ...available,
      names.length > 0 ? 'set issuer under trust.signer to one of them' : 'import or generate its CA first',
    ]);
  }
  const close = nearest(issuer, names);
  return refusedError(`${mount} at ${http.address.host} has no issuer ${issuer}`, [
    ...(close === undefined ? [] : [`did you mean ${close}?`]),
    ...available,
  ]);
}

export function refusedError(message: string, hints: readonly Hint[]): MeshError {
  return new MeshError('SIGNER_REFUSED', message, {hints});
}

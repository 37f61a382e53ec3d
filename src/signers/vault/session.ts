/** The session with one server, mount and issuer during one run: read once, logged in to once. */
import {memoizeAsync, memoizePerRun} from '../../domain/memoize.js';
import {defined} from '../../domain/defined.js';
import * as z from 'zod';
import {MeshError} from '../../domain/errors.js';
import {type Certificate, parseCertificates} from '../../domain/x509/certificate.js';
import {orderUpward} from '../../domain/x509/chain.js';
import {printableLine} from '../../domain/printable.js';
import {Sensitive} from '../../domain/sensitive.js';
import type {SignerContext} from '../signer-module.js';
import {VaultClient} from './client.js';
import {findCredentials, openToken} from './login.js';
import {explainForbidden, explainRefusal, canUseMount} from './refusals.js';
import {readSettings, type VaultSpec} from './settings.js';

/** Opens the run's session, once: a secret ID may be valid for only one login. Throws what reading the settings throws. */
export const openSession = memoizePerRun(createSession);

/** The session of a run. */
export type VaultSession = Awaited<ReturnType<typeof createSession>>;

async function createSession(spec: VaultSpec, context: SignerContext) {
  const settings = await readSettings(spec, context);
  const credentials = await findCredentials(settings.auth, context);
  const client = new VaultClient(settings, context.signal);
  const {mount, issuer} = settings;
  return {
    client,
    /** The path for signing, below /v1/, which a policy must allow. */
    signPath: `${mount}/${issuer === undefined ? 'root' : `issuer/${issuer}`}/sign-intermediate`,
    credentials,
    /** The issuer, then the certificates above it that the server returns. */
    upward: memoizeAsync(() => readUpward(client)),
    token: memoizeAsync(() => openToken(credentials, client, context)),
  };
}

const issuerSchema = z.looseObject({certificate: z.string(), ca_chain: z.array(z.string()).nullish()});

/**
 * Reads the issuer's certificate and the mount's certificates above it. Both are public (api-docs/secret/pki/issuance,
 * Read issuer certificate), so a dry run needs no login. Throws `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`.
 */
async function readUpward(client: VaultClient): Promise<readonly Certificate[]> {
  const {mount, issuer, what} = client.settings;
  const path = `${mount}/issuer/${issuer ?? 'default'}/json`;
  const reply = await client.send({method: 'GET', path}, issuerSchema);
  const {certificate, ca_chain: above} = reply.data ?? {};
  const [own, ...chain] = parseTexts([certificate ?? [], above ?? []].flat(), what);
  if (own) return orderUpward(own, chain);
  // Vault before 1.11 has one issuer in each mount, and no path for it.
  if (issuer === undefined && [403, 404, 405].includes(reply.status)) {
    const older = await readSingleIssuer(client);
    if (older) return older;
  }
  if (reply.ok) throw noCertificateError(what);
  throw await explainRefusal(reply, {client, path});
}

const certificateSchema = z.looseObject({certificate: z.string().min(1)});

/** The same for a mount with a single issuer (api-docs/secret/pki/issuance, Read certificate). */
async function readSingleIssuer(client: VaultClient): Promise<readonly Certificate[] | undefined> {
  const {mount, what} = client.settings;
  const texts: string[] = [];
  for (const path of ['cert/ca', 'cert/ca_chain']) {
    const {data} = await client.send({method: 'GET', path: `${mount}/${path}`}, certificateSchema);
    if (data) texts.push(data.certificate);
    else if (texts.length === 0) return undefined;
  }
  const [own, ...chain] = parseTexts(texts, what);
  return own && orderUpward(own, chain);
}

/** Parses the certificates of a response. Throws `SIGNER_REFUSED` if one is invalid. */
export function parseTexts(texts: readonly string[], what: string): readonly Certificate[] {
  try {
    return texts.flatMap((text) => parseCertificates(text, `the response of ${what}`).certificates);
  } catch (thrown) {
    throw noCertificateError(what, thrown);
  }
}

export function noCertificateError(what: string, cause?: unknown): MeshError {
  const why = cause instanceof MeshError ? `: ${printableLine(cause.message)}` : '';
  return new MeshError('SIGNER_REFUSED', `${what} did not return a valid certificate${why}`, defined({cause}));
}

const capabilitiesSchema = z.looseObject({capabilities: z.array(z.string())});

/**
 * Checks that an existing token may sign, so that a dry run reports it. A token that may not check its own capabilities
 * is only checked when it signs. Throws `SIGNER_REFUSED`.
 */
export async function requireMaySign({credentials: token, client, signPath: path}: VaultSession): Promise<void> {
  if (!(token instanceof Sensitive)) return;
  const request = {method: 'POST', path: 'sys/capabilities-self', body: {paths: [path]}, token} as const;
  const {ok, data} = await client.send(request, capabilitiesSchema);
  const may = data?.capabilities.some((one) => ['update', 'sudo', 'root'].includes(one)) ?? true;
  // A token without the default policy may not read its capabilities, but may still sign.
  if (ok ? may : await canUseMount(client, token)) return;
  throw await explainForbidden({client, path}, token);
}

/** Signing by the PKI engine of Vault or OpenBao (docs/signers.md): the cluster's key never leaves the work directory. */
import * as z from 'zod';
import {MeshError} from '../domain/errors.js';
import type {Certificate} from '../domain/x509/certificate.js';
import {orderUpward} from '../domain/x509/chain.js';
import {requestPem} from '../domain/x509/csr.js';
import {spkiHash} from '../domain/keys/keys.js';
import {changesFromRequest} from '../domain/ca/changes.js';
import type {IssuedCa, IssueRequest} from '../domain/ca/issuer.js';
import {clusterCaName} from '../domain/x509/profile.js';
import {printableLine} from '../domain/printable.js';
import {formatDay, formatDuration} from '../domain/format.js';
import {dayMs} from '../domain/time.js';
import type {SignerModule} from './signer-module.js';
import {explainRefusal} from './vault/refusals.js';
import {noCertificateError, openSession, parseTexts, requireMaySign, type VaultSession} from './vault/session.js';

const signedSchema = z.looseObject({
  certificate: z.string(),
  issuing_ca: z.string().nullish(),
  ca_chain: z.array(z.string()).nullish(),
});

/** `{type: vault}`. */
export const vaultSigner: SignerModule<'vault'> = {
  async survey(spec, context) {
    const session = await openSession(spec, context);
    const upward = await session.upward();
    await requireMaySign(session);
    return {kind: 'ready', what: session.client.settings.what, upward};
  },
  // A session contacts nothing until it is used.
  surveyLocally: async (spec, context) => (await openSession(spec, context)).client.settings.what,
  async open(spec, context) {
    const session = await openSession(spec, context);
    return {issue: (request) => issue(request, session)};
  },
};

/** Has the server sign a request. Throws `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `ISSUE_FAILED`, `INTERRUPTED`. */
async function issue(request: IssueRequest, session: VaultSession): Promise<IssuedCa> {
  const {client, signPath: path} = session;
  const {what} = client.settings;
  const {cluster, publicKey} = request;
  const upward = await session.upward();
  const issuerEnd = new Date(Math.min(...upward.map(({notAfter}) => notAfter.getTime())));
  const body = signBody(await request.csr(), request, issuerEnd);
  const token = await session.token();
  const reply = await client.send({method: 'POST', path, token, body}, signedSchema);
  if (!reply.ok) throw await explainRefusal(reply, {client, path, token});
  const {certificate: text, issuing_ca: issuing, ca_chain: chain} = reply.data ?? {};
  const [certificate] = text === undefined ? [] : parseTexts([text], what);
  if (!certificate) throw noCertificateError(what);
  if (certificate.spki !== spkiHash(publicKey)) {
    throw new MeshError('ISSUE_FAILED', `${what} returned a certificate for a key other than ${cluster}'s`, {
      hints: ['check the server and any proxy in front of it: it does not sign the request that it receives'],
    });
  }
  const known = [...parseTexts([...(chain ?? []), ...(issuing ? [issuing] : [])], what), ...upward];
  const changes = [
    ...validityChanges(certificate, request, issuerEnd, reply.warnings),
    ...changesFromRequest(certificate, cluster),
  ];
  return {certificate, above: orderUpward(certificate, known).slice(1), changes};
}

/**
 * The body of the request (api-docs/secret/pki/issuance, Sign intermediate). `use_csr_values` takes subject and
 * extensions from the CSR. The path length must still be set, because servers ignore that of the CSR. Some servers
 * limit the validity to the issuer's, others issue a certificate that outlives it and whose chain does not verify: so
 * never request more.
 */
function signBody(csr: Buffer, {cluster, validityDays, now}: IssueRequest, issuerEnd: Date): object {
  const left = Math.floor((issuerEnd.getTime() - now.getTime()) / 1000);
  return {
    csr: requestPem(csr),
    // Required, but the CSR's subject overrides it.
    common_name: clusterCaName(cluster).find(({type}) => type === 'CN')?.value,
    use_csr_values: true,
    max_path_length: 0,
    // Clocks differ by minutes; servers backdate by only 30 seconds by default.
    not_before_duration: '300s',
    ttl: `${String(Math.min((validityDays * dayMs) / 1000, left))}s`,
    format: 'pem',
  };
}

/** Allows for the difference between the clocks, and for the time until the server signs. Milliseconds. */
const tolerance = 5 * 60_000;

/** Describes how the issued validity differs from the requested one. */
function validityChanges(
  {notAfter}: Certificate,
  {validityDays, now}: IssueRequest,
  issuerEnd: Date,
  warnings: readonly string[],
): readonly string[] {
  const wanted = now.getTime() + validityDays * dayMs;
  const difference = notAfter.getTime() - wanted;
  if (Math.abs(difference) <= tolerance) return [];
  const issued = `valid until ${formatDay(notAfter)}, ${formatDuration(notAfter.getTime() - now.getTime())} instead of ${formatDuration(wanted - now.getTime())}`;
  if (difference < 0 && Math.abs(notAfter.getTime() - issuerEnd.getTime()) <= tolerance) {
    return [`${issued}: a CA above it expires then`];
  }
  const reason = warnings.find((warning) => /\bttl\b/i.test(warning));
  return [reason === undefined ? issued : `${issued}: ${printableLine(reason).slice(0, 200)}`];
}

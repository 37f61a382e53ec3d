/** Vault's or OpenBao's PKI engine signs requests (docs/signers.md): the key never leaves the work directory. */
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
import {dayMs, lengthInWords} from '../domain/time.js';
import type {SignerModule} from './signer-module.js';
import {explainRefusal} from './vault/refusals.js';
import {noCertificateError, openSession, parseTexts, requireMaySign, type Session} from './vault/session.js';

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
  async open(spec, context) {
    const session = await openSession(spec, context);
    return {issue: (request) => issue(request, session)};
  },
};

/** Throws `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `ISSUE_FAILED`, `INTERRUPTED`. */
async function issue(request: IssueRequest, session: Session): Promise<IssuedCa> {
  const {client, signPath: path} = session;
  const {what} = client.settings;
  const {cluster, publicKey} = request;
  const upward = await session.upward();
  const end = new Date(Math.min(...upward.map(({notAfter}) => notAfter.getTime())));
  const body = signBody(await request.csr(), request, end);
  const token = await session.token();
  const reply = await client.send({method: 'POST', path, token, body}, signedSchema);
  if (!reply.ok) throw await explainRefusal(reply, {client, path, token});
  const {certificate: text, issuing_ca: issuing, ca_chain: chain} = reply.data ?? {};
  const [certificate] = text === undefined ? [] : parseTexts([text], what);
  if (!certificate) throw noCertificateError(what);
  if (certificate.spki !== spkiHash(publicKey)) {
    throw new MeshError('ISSUE_FAILED', `${what} returned a certificate for another key than ${cluster}'s`, {
      hints: ['What answers there does not sign what it is sent: look at the server, and at what stands before it'],
    });
  }
  const known = [...parseTexts([...(chain ?? []), ...(issuing ? [issuing] : [])], what), ...upward];
  const changes = [
    ...validityChanges(certificate, request, end, reply.warnings),
    ...changesFromRequest(certificate, cluster),
  ];
  return {certificate, above: orderUpward(certificate, known).slice(1), changes};
}

/**
 * What is asked for (api-docs/secret/pki/issuance, Sign intermediate). `use_csr_values` takes subject and extensions from
 * the request. The path length has to be said all the same: a server takes that of no request. Some servers cut a life to
 * that of the issuer, others sign one that ends later, with which no chain verifies: so no longer one is asked for.
 */
function signBody(csr: Buffer, {cluster, validityDays, now}: IssueRequest, end: Date): object {
  const left = Math.floor((end.getTime() - now.getTime()) / 1000);
  return {
    csr: requestPem(csr),
    // Required, and without effect beside the request's subject.
    common_name: clusterCaName(cluster).find(({type}) => type === 'CN')?.value,
    use_csr_values: true,
    max_path_length: 0,
    // Clocks differ by minutes; 30 seconds is what servers go back by themselves.
    not_before_duration: '300s',
    ttl: `${String(Math.min((validityDays * dayMs) / 1000, left))}s`,
    format: 'pem',
  };
}

/** The server's clock is not ours, and it signs a moment later. Milliseconds. */
const tolerance = 5 * 60_000;

/** What the server made of the life that was asked for: a sentence for a person. */
function validityChanges(
  {notAfter}: Certificate,
  {validityDays, now}: IssueRequest,
  end: Date,
  warnings: readonly string[],
): readonly string[] {
  const wanted = now.getTime() + validityDays * dayMs;
  const difference = notAfter.getTime() - wanted;
  if (Math.abs(difference) <= tolerance) return [];
  const got = `valid until ${notAfter.toISOString().slice(0, 10)}, ${lengthInWords(notAfter.getTime() - now.getTime())} instead of ${lengthInWords(wanted - now.getTime())}`;
  if (difference < 0 && Math.abs(notAfter.getTime() - end.getTime()) <= tolerance) {
    return [`${got}: what stands above it ends then`];
  }
  const reason = warnings.find((warning) => /\bttl\b/i.test(warning));
  return [reason === undefined ? got : `${got}: ${printableLine(reason).slice(0, 200)}`];
}

/** Vault's or OpenBao's PKI engine signs requests (docs/signers.md): the key never leaves the work directory. */
import * as z from 'zod';
import {MeshError} from '../domain/errors.js';
import type {Certificate} from '../domain/x509/certificate.js';
import {orderUpward} from '../domain/x509/chain.js';
import {requestPem} from '../domain/x509/csr.js';
import {spkiHash} from '../domain/keys/fingerprint.js';
import type {IssuedCa, IssueRequest} from '../domain/ca/issuer.js';
import {clusterCaName} from '../domain/x509/profile.js';
import type {SignerModule} from './signer-module.js';
import {type Asked, changesOf} from './vault/changes.js';
import {explainRefusal} from './vault/refusals.js';
import {notCertificates, openSession, read, requireMaySign, type Session} from './vault/session.js';

const daySeconds = 24 * 60 * 60;

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
    return {kind: 'ready', what: session.settings.what, upward};
  },
  async open(spec, context) {
    const session = await openSession(spec, context);
    return {issue: (request) => issue(request, session)};
  },
};

/** Throws `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `ISSUE_FAILED`, `INTERRUPTED`. */
async function issue(request: IssueRequest, session: Session): Promise<IssuedCa> {
  const {client, settings, signPath: path} = session;
  const {cluster, publicKey, validityDays, now} = request;
  const upward = await session.upward();
  const end = new Date(Math.min(...upward.map(({notAfter}) => notAfter.getTime())));
  const csr = await request.csr();
  const token = await session.token();
  const reply = await client.ask({method: 'POST', path, token, body: signBody(csr, {cluster, validityDays, now, end})});
  if (!reply.ok) throw await explainRefusal(reply, {settings, client, path, token});
  const parsed = signedSchema.safeParse(reply.data);
  if (!parsed.success) throw notCertificates(settings.what);
  const {certificate: text, issuing_ca: issuing, ca_chain: chain} = parsed.data;
  const [certificate] = read(text, settings.what);
  if (!certificate) throw notCertificates(settings.what);
  if (certificate.spki !== spkiHash(publicKey)) {
    throw new MeshError('ISSUE_FAILED', `${settings.what} returned a certificate for another key than ${cluster}'s`, {
      hints: ['What answers there does not sign what it is sent: look at the server, and at what stands before it'],
    });
  }
  const known: readonly Certificate[] = [
    ...[...(chain ?? []), ...(issuing ? [issuing] : [])].flatMap((one) => read(one, settings.what)),
    ...upward,
  ];
  const changes = changesOf(certificate, {cluster, validityDays, now, end, warnings: reply.warnings});
  return {certificate, above: orderUpward(certificate, known).slice(1), changes};
}

/**
 * What is asked for (api-docs/secret/pki/issuance, Sign intermediate). `use_csr_values` takes subject and extensions from
 * the request. The path length has to be said all the same: a server takes that of no request. Some servers cut a life to
 * that of the issuer, others sign one that ends later, with which no chain verifies: so no longer one is asked for.
 */
function signBody(csr: Buffer, {cluster, validityDays, now, end}: Omit<Asked, 'warnings'>): object {
  const left = Math.floor((end.getTime() - now.getTime()) / 1000);
  return {
    csr: requestPem(csr),
    // Required, and without effect beside the request's subject.
    common_name: clusterCaName(cluster).find(({type}) => type === 'CN')?.value,
    use_csr_values: true,
    max_path_length: 0,
    // Clocks differ by minutes; 30 seconds is what servers go back by themselves.
    not_before_duration: '300s',
    ttl: `${String(Math.min(validityDays * daySeconds, left))}s`,
    format: 'pem',
  };
}

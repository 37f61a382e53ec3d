import {randomBytes} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import {type Certificate, serialBytes} from '../../domain/pki/certificate.js';
import {verifyChain} from '../../domain/pki/chain.js';
import {publicHalf} from '../../domain/pki/keys.js';
import {writeEncryptedKey, writePrivateKey} from '../../domain/pki/private-key.js';
import {rootTemplate} from '../../domain/pki/profile.js';
import {layout} from '../../domain/mesh/layout.js';
import {issueCertificate} from '../../domain/pki/signer.js';
import {createKeySigner} from '../../signers/local.js';
import type {Effect} from '../effect.js';
import {certificateDetail} from './certificate-detail.js';
import {untilAborted} from './until-aborted.js';

/**
 * Makes the root's key and certificate and writes both as one set. The keys of the clusters that follow are started at
 * the same time, so that no core waits for the root.
 */
export const effect: Effect<'create-root-ca'> = async (action, {deps, line}) => {
  const passphrase = action.protection === 'encrypted' ? await deps.passphrases.get('new') : undefined;
  line(`make a key (${action.algorithm})`);
  await deps.signers.startKey(layout.rootKey, action.algorithm);
  for (const {cluster, algorithm} of action.keysAhead ?? []) await deps.signers.startKey(cluster, algorithm);
  const key = await untilAborted(deps.signers.takeKey(layout.rootKey, action.algorithm), deps.signal);
  const now = deps.now();
  const template = rootTemplate({
    publicKey: publicHalf(key),
    validityDays: action.validityDays,
    now,
    serial: randomBytes(serialBytes),
    ...(action.meshID !== undefined && {meshID: action.meshID}),
  });
  const certificate = await issueCertificate(template, createKeySigner(key), layout.rootCert);
  requireSound(certificate, now);
  line('write root-key.pem and root-cert.pem');
  await deps.workspace.write([
    {
      path: layout.rootKey,
      content: passphrase ? await writeEncryptedKey(key, passphrase) : writePrivateKey(key),
    },
    {path: layout.rootCert, content: certificate.pem},
  ]);
  return {...certificateDetail(certificate), protection: action.protection};
};

/** What is asked of a foreign root is asked of ours before it is written. */
function requireSound(certificate: Certificate, now: Date): void {
  const verified = verifyChain(certificate, {roots: [certificate], intermediates: [], now});
  if ('failure' in verified) {
    throw new MeshError('ISSUE_FAILED', `the new root certificate does not verify: ${verified.message}`);
  }
  if (!certificate.selfSigned || certificate.extensions.basicConstraints?.ca !== true) {
    throw new MeshError('ISSUE_FAILED', 'the new root certificate is not a self-signed CA');
  }
}

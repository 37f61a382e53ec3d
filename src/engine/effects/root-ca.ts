/** Effects on the mesh's root CA. */
import {defined} from '../../domain/defined.js';
import {randomBytes, type KeyObject} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import {type Certificate, issueCertificate, serialBytes, type Signer} from '../../domain/x509/certificate.js';
import {verifyChain} from '../../domain/x509/chain.js';
import {openPrivateKey, readPrivateKey, writePrivateKey} from '../../domain/keys/private-key.js';
import {createKeySigner, encryptKey} from '../../signers/keys.js';
import {rootTemplate} from '../../domain/x509/profile.js';
import {layout} from '../../domain/mesh/layout.js';
import {rootKeyPath} from '../../domain/mesh/signer.js';
import type {CreateRootCa, ResealRootKey} from '../action.js';
import type {Effect, EffectContext} from '../effect.js';
import {certificateRef} from '../../domain/x509/describe.js';
import type {Workspace} from '../../workspace/workspace.js';
import {untilAborted} from '../../tools/bounded.js';
import {publicHalf, spkiHash} from '../../domain/keys/keys.js';

/**
 * Creates the root's key and certificate and writes both as one set; only the certificate if a program holds the key.
 * The cluster keys that are needed next are generated in parallel, to use all cores.
 */
export const createRootCa: Effect<'create-root-ca'> = async (action, context) => {
  const {deps, line, entry} = context;
  const passphrase =
    action.protection === 'encrypted' ? await deps.passphrases.get('new', rootKeyPath(action.signer)) : undefined;
  const {signer, key} = await untilAborted(createRootSigner(action, context), deps.signal);
  const now = deps.now();
  const template = rootTemplate(
    defined({
      publicKey: signer.publicKey,
      validityDays: action.validityDays,
      now,
      serial: randomBytes(serialBytes),
      meshID: action.meshID,
    }),
  );
  const certificate = await issueCertificate(template, signer, layout.rootCert);
  requireValidRoot(certificate, now);
  const certificateFile = {path: layout.rootCert, content: certificate.pem};
  const store = deps.rootStore(action.signer);
  if (key) {
    const content = passphrase ? await encryptKey(key, passphrase) : writePrivateKey(key);
    line('write root-key.pem and root-cert.pem');
    const files = [{path: layout.rootKey, content, isNew: true}, certificateFile];
    await lockedStore(store, context, () => store.write(files, entry));
  }
  if (!key || store !== deps.workspace) await deps.workspace.write([certificateFile], entry);
  return {...certificateRef(certificate), protection: action.protection};
};

/**
 * Runs work with the lock of the root key's directory: other work directories may use the same one, which this work
 * directory's lock does not protect. Throws `WORKDIR_LOCKED`.
 */
async function lockedStore<T>(
  store: Workspace,
  {deps, command}: Pick<EffectContext, 'deps' | 'command'>,
  work: () => Promise<T>,
): Promise<T> {
  const lock = store === deps.workspace ? undefined : await store.lock(command);
  try {
    return await work();
  } finally {
    await lock?.release();
  }
}

async function createRootSigner(
  {signer: spec, algorithm, protection, keysAhead = []}: CreateRootCa,
  {deps, line}: EffectContext,
): Promise<{readonly signer: Signer; readonly key?: KeyObject}> {
  if (protection !== 'elsewhere') {
    line(`generate a key (${algorithm})`);
    await deps.signers.startKey(layout.rootKey, algorithm);
  }
  for (const {cluster, algorithm: clusterAlgorithm} of keysAhead)
    await deps.signers.startKey(cluster, clusterAlgorithm);
  if (protection === 'elsewhere') return {signer: await deps.signers.rootSigner(spec)};
  const key = await deps.signers.takeKey(layout.rootKey, algorithm);
  return {signer: createKeySigner(key), key};
}

/** Checks the new root before it is written, as an imported root is checked. */
function requireValidRoot(certificate: Certificate, now: Date): void {
  const verified = verifyChain(certificate, {roots: [certificate], intermediates: [], now});
  if ('failure' in verified) {
    throw new MeshError('ISSUE_FAILED', `the new root certificate does not verify: ${verified.message}`);
  }
  if (!certificate.selfSigned || certificate.extensions.basicConstraints?.ca !== true) {
    throw new MeshError('ISSUE_FAILED', 'the new root certificate is not a self-signed CA');
  }
}

/**
 * Opens root-key.pem, encrypts the same key with another passphrase, and replaces the file atomically. The new content
 * is first decrypted in memory as a check: losing this key means losing the mesh's trust.
 */
export const resealRootKey: Effect<'reseal-root-key'> = async (action, context) => {
  const store = context.deps.rootStore(action.signer);
  return lockedStore(store, context, () => reseal(action, context, store));
};

async function reseal(action: ResealRootKey, {deps, line, entry}: EffectContext, store: Workspace) {
  const {path} = action;
  const before = await store.readSecret(layout.rootKey);
  if (before === undefined) throw new MeshError('FILE_MISSING', `${path} was deleted during the run`);
  const key = await openPrivateKey(before, () => deps.passphrases.get('existing', path), path);
  const after =
    action.protection === 'clear'
      ? writePrivateKey(key)
      : await encryptKey(key, await deps.newPassphrases.get('new', path));
  const again = await openPrivateKey(after, () => deps.newPassphrases.get('new', path), `the new ${path}`);
  const spki = spkiHash(publicHalf(key));
  if (spkiHash(publicHalf(again)) !== spki) {
    throw new MeshError('ISSUE_FAILED', `the new ${path} does not decrypt to the same key: nothing was written`);
  }
  line(`write ${path}`);
  await store.write([{path: layout.rootKey, content: after}], entry);
  const {encryption} = readPrivateKey(after, path);
  return {
    protection: action.protection,
    spki,
    ...(encryption && {cipher: encryption.cipher, kdf: encryption.kdf}),
  };
}

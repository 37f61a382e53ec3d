import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {publicHalf, spkiHash} from '../../domain/keys/keys.js';
import {openPrivateKey, readPrivateKey, writePrivateKey} from '../../domain/keys/private-key.js';
import {encryptKey} from '../../signers/keys.js';
import type {Effect} from '../effect.js';

/**
 * Opens root-key.pem, writes the same key under another passphrase, and replaces the file in one step. The new text is
 * opened again in memory first: what is lost with this key is the mesh's trust.
 */
export const effect: Effect<'reseal-root-key'> = async (action, {deps, line}) => {
  const {path} = action;
  const store = deps.rootStore(action.signer);
  const before = await store.readSecret(layout.rootKey);
  if (before === undefined) throw new MeshError('FILE_MISSING', `${path} is gone`);
  const key = await openPrivateKey(before, () => deps.passphrases.get('existing'), path);
  const after =
    action.protection === 'clear' ? writePrivateKey(key) : await encryptKey(key, await deps.newPassphrases.get('new'));
  const again = await openPrivateKey(after, () => deps.newPassphrases.get('new'), `the new ${path}`);
  const spki = spkiHash(publicHalf(key));
  if (spkiHash(publicHalf(again)) !== spki) {
    throw new MeshError('ISSUE_FAILED', `the new ${path} does not open to the same key: nothing was written`);
  }
  line(`write ${path}`);
  await store.write([{path: layout.rootKey, content: after}]);
  const {encryption} = readPrivateKey(after, path);
  return {
    protection: action.protection,
    spki,
    ...(encryption && {cipher: encryption.cipher, kdf: encryption.kdf}),
  };
};

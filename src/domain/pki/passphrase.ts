import {MeshError} from '../errors.js';

/** No source of a passphrase and no terminal: names the choices. */
export function passphraseNeeded(): MeshError {
  return new MeshError('PASSPHRASE_NEEDED', "The root key's passphrase is needed, and there is no terminal to ask on", {
    hints: [
      'Give it with --passphrase-file FILE, --passphrase-command COMMAND or the variable KUBECTL_MESH_PASSPHRASE',
      'For a demo, write the root key in the clear with --no-passphrase',
    ],
  });
}

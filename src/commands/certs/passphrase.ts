import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {newPassphraseFlags, passphraseFlags} from '../../cli/flags/passphrase.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {signerFlags} from '../../cli/flags/signer.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {MeshError} from '../../domain/errors.js';
import {changePassphrase, type PassphraseResult} from '../../operations/certs/passphrase.js';
import {certsPassphraseView} from '../../output/views/certs-passphrase.js';

export default class CertsPassphrase extends MeshCommand {
  static override summary = "Change the root key's passphrase or raise its work factor";
  static override description = `Decrypts root-key.pem with its passphrase and encrypts the same key again: PKCS#8, AES-256, scrypt N=16384 r=8 p=5. An unencrypted key is encrypted. For a key that OpenSSL encrypted (2,048 rounds of PBKDF2, or headers older than PKCS#8), guessing the passphrase becomes expensive. The certificate and the clusters are not affected.

The old passphrase is read as in all other commands; the new one from --new-passphrase-file, --new-passphrase-command, the variable KUBECTL_MESH_NEW_PASSPHRASE, or a prompt that requires it twice. To raise the work factor only, enter the same passphrase again. The new file is decrypted in memory before it replaces the old one.`;
  static override examples = [
    example('Prompt for both passphrases'),
    example(
      'Read both passphrases from a password manager',
      '--passphrase-command "pass show mesh/old" --new-passphrase-command "pass show mesh/new"',
    ),
    example('Store the root key of a demo unencrypted', '--no-passphrase --yes'),
  ];
  static override flags = {
    'passphrase-file': passphraseFlags['passphrase-file'],
    'passphrase-command': passphraseFlags['passphrase-command'],
    'no-passphrase': {
      ...passphraseFlags['no-passphrase'],
      description: 'store the root key unencrypted: anyone who can read the file controls the mesh',
    },
    ...newPassphraseFlags,
    'root-dir': signerFlags['root-dir'],
    ...safetyFlags,
    ...outputFlags(['text', 'json']),
    ...workDirFlags,
  };

  async run(): Promise<PassphraseResult> {
    const {flags} = await this.parse(CertsPassphrase);
    if (flags['passphrase-file'] === '-' && flags['new-passphrase-file'] === '-') {
      throw new MeshError('USAGE', 'standard input can provide only one passphrase', {
        hints: ['provide the other one with a file, a command or its environment variable'],
      });
    }
    const request = {unencrypted: flags['no-passphrase'], rootDirectory: flags['root-dir']};
    return this.perform(changePassphrase, request, certsPassphraseView, flags);
  }
}

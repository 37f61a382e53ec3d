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
  static override summary = "Change the root key's passphrase, or strengthen its encryption";
  static override description = `Decrypts root-key.pem with its passphrase and encrypts the same key again as PKCS#8, with AES-256 and scrypt (N=16384 r=8 p=5). An unencrypted key is encrypted. If OpenSSL encrypted the key (2,048 rounds of PBKDF2, or the format before PKCS#8), the passphrase becomes much more expensive to guess. The certificate and the clusters are not affected.

The new passphrase is read from --new-passphrase-file, --new-passphrase-command, the variable KUBECTL_MESH_NEW_PASSPHRASE, or a prompt that requires it twice. To strengthen only the encryption, enter the same passphrase again. Before the new file replaces the old one, it is decrypted in memory as a test.`;
  static override examples = [
    example('Prompt for both passphrases'),
    example(
      'Read both passphrases from a password manager',
      '--passphrase-command "pass show mesh/old" --new-passphrase-command "pass show mesh/new"',
    ),
    example('Store the root key of a demo mesh unencrypted', '--no-passphrase --yes'),
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

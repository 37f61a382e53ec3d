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
  static override summary = "Change the root key's passphrase, and raise its work factor";
  static override description = `Opens root-key.pem with its passphrase and writes the same key anew: PKCS#8, AES-256, scrypt N=16384 r=8 p=5. A key in the clear is encrypted, and one that OpenSSL encrypted (2,048 rounds of PBKDF2, or headers of before PKCS#8) becomes costly to guess. The certificate stays as it is, and no cluster has to know.

The old passphrase comes from where it always comes from; the new one from --new-passphrase-file, --new-passphrase-command, the variable KUBECTL_MESH_NEW_PASSPHRASE, or a question that is asked twice. The same passphrase again raises the work factor only. The new file is opened again in memory before it takes the place of the old one.`;
  static override examples = [
    example('Ask for both passphrases'),
    example(
      'From a password manager',
      '--passphrase-command "pass show mesh/old" --new-passphrase-command "pass show mesh/new"',
    ),
    example('The root key of a demo, in the clear on purpose', '--no-passphrase --yes'),
  ];
  static override flags = {
    'passphrase-file': passphraseFlags['passphrase-file'],
    'passphrase-command': passphraseFlags['passphrase-command'],
    'no-passphrase': passphraseFlags['no-passphrase'],
    ...newPassphraseFlags,
    'root-dir': signerFlags['root-dir'],
    ...safetyFlags,
    ...outputFlags(['text', 'json']),
    ...workDirFlags,
  };

  async run(): Promise<PassphraseResult> {
    const {flags} = await this.parse(CertsPassphrase);
    if (flags['passphrase-file'] === '-' && flags['new-passphrase-file'] === '-') {
      throw new MeshError('USAGE', 'Standard input can give one passphrase only', {
        hints: ['Give the other one with a file, a command or its variable'],
      });
    }
    const request = {unencrypted: flags['no-passphrase'], rootDirectory: flags['root-dir']};
    return this.perform(changePassphrase, request, certsPassphraseView, flags);
  }
}

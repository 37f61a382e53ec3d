import {Flags} from '@oclif/core';

/** Sources of the root key's new passphrase. KUBECTL_MESH_NEW_PASSPHRASE is read like KUBECTL_MESH_PASSPHRASE. */
export const newPassphraseFlags = {
  'new-passphrase-file': Flags.string({
    helpValue: 'FILE',
    exclusive: ['new-passphrase-command', 'no-passphrase'],
    description:
      'read the new passphrase from the first line of this file, or - for standard input (default: $KUBECTL_MESH_NEW_PASSPHRASE, otherwise prompt)',
    helpGroup: 'ROOT KEY',
  }),
  'new-passphrase-command': Flags.string({
    helpValue: 'COMMAND',
    exclusive: ['new-passphrase-file', 'no-passphrase'],
    description: "shell command that prints the new passphrase, such as a password manager's",
    helpGroup: 'ROOT KEY',
  }),
};

/**
 * Sources of the root key's passphrase. No flag takes the passphrase itself: other users can read the command line. The
 * variable KUBECTL_MESH_PASSPHRASE is read and removed from the environment before anything else runs.
 */
export const passphraseFlags = {
  'passphrase-file': Flags.string({
    helpValue: 'FILE',
    exclusive: ['passphrase-command', 'no-passphrase'],
    description:
      "read the root key's passphrase from the first line of this file, or - for standard input (default: $KUBECTL_MESH_PASSPHRASE, otherwise prompt)",
    helpGroup: 'ROOT KEY',
  }),
  'passphrase-command': Flags.string({
    helpValue: 'COMMAND',
    exclusive: ['passphrase-file', 'no-passphrase'],
    description: "shell command that prints the root key's passphrase, such as a password manager's",
    helpGroup: 'ROOT KEY',
  }),
  'no-passphrase': Flags.boolean({
    description: 'write a new root key unencrypted: anyone who can read the file controls the mesh',
    helpGroup: 'ROOT KEY',
  }),
};

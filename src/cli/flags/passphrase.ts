import {Flags} from '@oclif/core';

/** Where the passphrase that replaces the root key's comes from; KUBECTL_MESH_NEW_PASSPHRASE is read like the other. */
export const newPassphraseFlags = {
  'new-passphrase-file': Flags.string({
    helpValue: 'FILE',
    exclusive: ['new-passphrase-command', 'no-passphrase'],
    description: 'read the new passphrase from the first line of this file (- is standard input)',
    helpGroup: 'ROOT KEY',
  }),
  'new-passphrase-command': Flags.string({
    helpValue: 'COMMAND',
    exclusive: ['new-passphrase-file', 'no-passphrase'],
    description: 'a shell command that prints the new passphrase, such as a password manager',
    helpGroup: 'ROOT KEY',
  }),
};

/**
 * Where the root key's passphrase comes from. Never a value on the command line: other users can read that. The
 * variable KUBECTL_MESH_PASSPHRASE is read, and taken out of the environment, before anything else runs.
 */
export const passphraseFlags = {
  'passphrase-file': Flags.string({
    helpValue: 'FILE',
    exclusive: ['passphrase-command', 'no-passphrase'],
    description: "read the root key's passphrase from the first line of this file (- is standard input)",
    helpGroup: 'ROOT KEY',
  }),
  'passphrase-command': Flags.string({
    helpValue: 'COMMAND',
    exclusive: ['passphrase-file', 'no-passphrase'],
    description: 'a shell command that prints the passphrase, such as a password manager',
    helpGroup: 'ROOT KEY',
  }),
  'no-passphrase': Flags.boolean({
    description: 'write a new root key in the clear: whoever reads the file owns the mesh',
    helpGroup: 'ROOT KEY',
  }),
};

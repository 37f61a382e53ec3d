import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {type DeclaredSigner, parseSignerFlag} from '../../domain/mesh/signer-schema.js';

/** The signer of the cluster CAs, if mesh.yaml does not set it. */
export const signerFlags = {
  signer: Flags.custom<{readonly declared: DeclaredSigner}>({
    parse: (text) => Promise.resolve({declared: parseSignerFlag(text)}),
  })({
    helpValue: 'SIGNER',
    description:
      "signer of cluster CAs: local, csr, vault, command, cluster or external, or trust.signer as a map such as '{type: vault, mount: pki}'",
    helpGroup: 'SIGNER',
  }),
  'root-dir': Flags.string({
    helpValue: 'DIR',
    // Relative to the current directory, as shells complete it; in mesh.yaml it is relative to the work directory.
    parse: (path) => Promise.resolve(resolve(path)),
    description: 'directory of root-key.pem, if not the work directory; only signing requires it',
    helpGroup: 'SIGNER',
  }),
};

/** Flag of commands whose signer may return a chain that ends below the root. */
export const rootFlags = {
  root: Flags.string({
    helpValue: 'FILE',
    description: "file with the mesh's root certificate, if the signer does not return it",
    helpGroup: 'SIGNER',
  }),
};

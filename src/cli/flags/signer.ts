import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {type DeclaredSigner, parseSignerFlag} from '../../domain/mesh/signer-schema.js';

/** Who signs cluster CAs, where mesh.yaml does not say. */
export const signerFlags = {
  signer: Flags.custom<{readonly declared: DeclaredSigner}>({
    parse: (said) => Promise.resolve({declared: parseSignerFlag(said)}),
  })({
    helpValue: 'SIGNER',
    description:
      "who signs cluster CAs: local, csr, vault, command, cluster or external, or the map of trust.signer such as '{type: vault, mount: pki}'",
    helpGroup: 'SIGNER',
  }),
  'root-dir': Flags.string({
    helpValue: 'DIR',
    // As a shell completes it; the directory of mesh.yaml is relative to the work directory.
    parse: (said) => Promise.resolve(resolve(said)),
    description: 'where root-key.pem is kept, when not in the work directory; only signing needs it',
    helpGroup: 'SIGNER',
  }),
};

/** Flag of commands that may meet a signer whose chain ends below the root. */
export const rootFlags = {
  root: Flags.string({
    helpValue: 'FILE',
    description: "the mesh's root certificate, where the signer does not send it",
    helpGroup: 'SIGNER',
  }),
};

import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {keyAlgorithms} from '../../domain/keys/keys.js';
import {type DeclaredSigner, parseSignerFlag} from '../../domain/mesh/signer-schema.js';

/** Help of `--key-algorithm`. The values are in its description: as the flag's value they would take most of the line. */
export function keyAlgorithmHelp(subject: string, source = '') {
  return {helpValue: 'ALGORITHM', description: `${subject}: ${keyAlgorithms.join(', ')}${source}`};
}

/** The signer of the cluster CAs, if mesh.yaml does not set it. */
export const signerFlags = {
  signer: Flags.custom<{readonly declared: DeclaredSigner}>({
    parse: (text) => Promise.resolve({declared: parseSignerFlag(text)}),
  })({
    helpValue: 'SIGNER',
    description:
      "signer of cluster CAs: local, csr, vault, command, cluster or external, or a map as in trust.signer, such as '{type: vault, mount: pki}' (default: mesh.yaml, otherwise local)",
    helpGroup: 'SIGNER',
  }),
  'trust-mesh-yaml': Flags.boolean({
    description:
      'confirm the program or server that trust.signer of mesh.yaml names, and remember it; --yes does not include this',
    helpGroup: 'SIGNER',
  }),
  'root-dir': Flags.string({
    helpValue: 'DIR',
    // Relative to the current directory, as shells complete it; in mesh.yaml it is relative to the work directory.
    parse: (path) => Promise.resolve(resolve(path)),
    description: 'directory that contains root-key.pem (default: mesh.yaml, otherwise the work directory)',
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

import {Args} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {rootFlags} from '../../cli/flags/signer.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {importCerts, type ImportResult} from '../../operations/certs/import.js';
import {certsImportView} from '../../output/views/certs-import.js';

export default class CertsImport extends MeshCommand {
  static override summary = "Take what a CA elsewhere returned for a cluster's request";
  static override description = `Takes the files as they came: PEM in any order and with text around it, DER, PKCS#7 (.p7b), several files, - for standard input. Finds the certificate for the cluster's key, orders the chain up to the mesh's root, and writes the cluster's four files; the request is removed.

Everything is judged first, and nothing is written unless all of it is right: the key, CA and path lengths along the chain, key usages, name constraints, signatures and keys, validity, the mesh's root. Each reason against it is named.

The first import also decides the mesh's root: name it with --root, or agree to the one that came with the answer.`;
  static override examples = [
    example('The first answer, below a root that you know', 'cluster1 answer.p7b --root corporate-root.pem'),
    example('A certificate and the CAs above it, from several files', 'cluster2 cluster2.cer policy-ca.cer'),
    example('See whether an answer does', 'cluster2 answer.pem --dry-run'),
  ];
  static override args = {
    cluster: Args.string({required: true, ignoreStdin: true, description: 'the cluster whose request was answered'}),
    file: Args.string({
      required: true,
      multiple: true,
      ignoreStdin: true,
      description: 'files that the CA returned; - is standard input',
    }),
  };
  static override flags = {...rootFlags, ...safetyFlags, ...outputFlags(['text', 'name', 'json']), ...workDirFlags};

  async run(): Promise<ImportResult> {
    const {args, flags} = await this.parse(CertsImport);
    const request = {cluster: args.cluster, files: args.file, rootFile: flags.root};
    return this.perform(importCerts, request, certsImportView, flags);
  }
}

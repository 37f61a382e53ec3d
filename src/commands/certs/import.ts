import {Args} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {rootFlags} from '../../cli/flags/signer.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {importCerts, type ImportResult} from '../../operations/certs/import.js';
import {certsImportView} from '../../output/views/certs-import.js';

export default class CertsImport extends MeshCommand {
  static override summary = 'Import a cluster CA certificate issued by an external CA';
  static override description = `Accepts the files as the CA returned them: PEM in any order and with surrounding text, DER or PKCS#7 (.p7b), in one or more files, or - for standard input. Finds the certificate for the cluster's key, orders the chain up to the mesh's root, writes the cluster's four CA files and removes the request.

Nothing is written unless all checks pass: the key, CA flags and path lengths along the chain, key usages, name constraints, signatures, key strength, validity, and the mesh's root. Every failed check is reported.

The first import also sets the mesh's root: specify it with --root, or confirm the root that the imported files contain.`;
  static override examples = [
    example(
      'Import the first certificate, issued under a known root',
      'cluster1 cluster1.p7b --root corporate-root.pem',
    ),
    example('Import a certificate and its issuing CA from separate files', 'cluster2 cluster2.cer policy-ca.cer'),
    example('Check a certificate without importing it', 'cluster2 cluster2.pem --dry-run'),
  ];
  static override args = {
    cluster: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'name of the cluster that the certificate was requested for',
    }),
    file: Args.string({
      required: true,
      multiple: true,
      ignoreStdin: true,
      description: 'file that the CA returned, or - for standard input; may be repeated',
    }),
  };
  static override flags = {...rootFlags, ...safetyFlags, ...outputFlags(['text', 'name', 'json']), ...workDirFlags};

  async run(): Promise<ImportResult> {
    const {args, flags} = await this.parse(CertsImport);
    const request = {cluster: args.cluster, files: args.file, rootFile: flags.root};
    return this.perform(importCerts, request, certsImportView, flags);
  }
}

import {Flags} from '@oclif/core';
import {MeshCommand} from '../../cli/base-command.js';
import {outputFileFlags, outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, workDirFlags} from '../../cli/flags/target.js';
import {keyAlgorithms} from '../../domain/mesh/mesh.js';
import {type CsrResult, requestCerts} from '../../operations/certs/request.js';
import {certsRequestView} from '../../output/views/certs-request.js';

export default class CertsRequest extends MeshCommand {
  static override summary = 'Make a key and a certificate request for each cluster, for a CA elsewhere to sign';
  static override description = `For a mesh whose cluster CAs the company's CA signs (trust.signer is csr). Writes CLUSTER/request/ca-key.pem, which stays here, and CLUSTER/request/ca.csr, which asks for what istiod needs: a CA with path length 0. kubectl mesh certs import takes what the CA returns, and moves the key to its place.

A request that is there is kept, so running this twice changes nothing. A cluster that has a CA gets a new request with --renew; its CA stays in use until the answer is imported.`;
  static override examples = [
    {
      description: 'A request for one cluster',
      command: '<%= config.bin %> <%= command.id %> cluster1',
    },
    {
      description: 'Print the request of one cluster, for a form or another program',
      command: '<%= config.bin %> <%= command.id %> cluster1 -o csr',
    },
    {
      description: 'A new key and request for a CA that is about to expire',
      command: '<%= config.bin %> <%= command.id %> cluster1 --renew',
    },
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})({
      helpValue: keyAlgorithms.join('|'),
      description: 'key of new requests (rsa-4096 when neither this nor mesh.yaml says)',
    }),
    renew: Flags.boolean({description: 'make a new key and request, also for a cluster that has a CA or a request'}),
    ...safetyFlags,
    ...outputFlags(['text', 'name', 'csr', 'json']),
    ...outputFileFlags,
    ...workDirFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
  };

  async run(): Promise<CsrResult> {
    const {args, flags} = await this.parse(CertsRequest);
    return this.perform(
      requestCerts,
      {clusters: args.cluster ?? [], keyAlgorithm: flags['key-algorithm'], renew: flags.renew},
      certsRequestView,
      flags,
    );
  }
}

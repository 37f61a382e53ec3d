import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFileFlags, outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, workDirFlags} from '../../cli/flags/target.js';
import {certManagerFlags, issuerOf} from '../../cli/flags/cert-manager.js';
import {MeshError} from '../../domain/errors.js';
import {keyAlgorithms} from '../../domain/keys/keys.js';
import {certManagerCertificates, type CertManagerResult} from '../../operations/certs/cert-manager.js';
import {type CsrResult, requestCerts} from '../../operations/certs/request.js';
import {certManagerView, certsRequestView} from '../../output/views/certs-request.js';

export default class CertsRequest extends MeshCommand {
  static override summary = 'Make a key and a certificate request for each cluster, for a CA elsewhere to sign';
  static override description = `For a mesh whose cluster CAs the company's CA signs (trust.signer is csr). Writes CLUSTER/request/ca-key.pem, which stays here, and CLUSTER/request/ca.csr, which asks for what istiod needs: a CA with path length 0. kubectl mesh certs import takes what the CA returns, and moves the key to its place.

A request that is there is kept, so running this twice changes nothing. A cluster that has a CA gets a new request with --renew; its CA stays in use until the answer is imported.`;
  static override examples = [
    example('A request for one cluster', 'cluster1'),
    example('Print the request of one cluster, for a form or another program', 'cluster1 -o csr'),
    example(
      'For cert-manager instead: the Certificate that fills Secret cacerts',
      'cluster1 --cert-manager --issuer company-ca | kubectl --context kind-cluster1 apply -f -',
    ),
    example('A new key and request for a CA that is about to expire', 'cluster1 --renew'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})({
      helpValue: keyAlgorithms.join('|'),
      description: 'key of new requests (rsa-4096 when neither this nor mesh.yaml says)',
    }),
    renew: Flags.boolean({description: 'make a new key and request, also for a cluster that has a CA or a request'}),
    ...certManagerFlags,
    ...safetyFlags,
    ...outputFlags(['text', 'name', 'csr', 'yaml', 'json']),
    ...outputFileFlags,
    ...workDirFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
  };

  async run(): Promise<CsrResult | CertManagerResult> {
    const {args, flags} = await this.parse(CertsRequest);
    const request = {clusters: args.cluster ?? [], keyAlgorithm: flags['key-algorithm']};
    if (flags['cert-manager']) {
      const issuer = issuerOf(flags);
      if (flags.output === 'csr') {
        throw new MeshError('USAGE', 'with --cert-manager there is no request here', {hints: ['say -o yaml']});
      }
      return this.perform(certManagerCertificates, {...request, issuer}, certManagerView, flags);
    }
    if (flags.output === 'yaml') {
      throw new MeshError('USAGE', '-o yaml is for --cert-manager', {hints: ['-o csr prints a request']});
    }
    return this.perform(requestCerts, {...request, renew: flags.renew}, certsRequestView, flags);
  }
}

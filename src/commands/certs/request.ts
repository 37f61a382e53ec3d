import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFileFlags, outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {keyAlgorithmHelp} from '../../cli/flags/signer.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, workDirFlags} from '../../cli/flags/target.js';
import {certManagerFlags, issuerOf} from '../../cli/flags/cert-manager.js';
import {MeshError} from '../../domain/errors.js';
import {keyAlgorithms} from '../../domain/keys/keys.js';
import {certManagerCertificates, type CertManagerResult} from '../../operations/certs/cert-manager.js';
import {type CsrResult, requestCerts} from '../../operations/certs/request.js';
import {certManagerView, certsRequestView} from '../../output/views/certs-request.js';

export default class CertsRequest extends MeshCommand {
  static override summary = 'Create keys and certificate requests for an external CA to sign';
  static override description = `Use this command if an external CA, such as your company's, signs the cluster CAs (trust.signer: csr). It writes CLUSTER/request/ca-key.pem, which stays in the work directory, and CLUSTER/request/ca.csr, which requests a CA with path length 0, as istiod requires. To import the issued certificate and move the key into place, use certs import.

Existing requests are not replaced, so running the command again changes nothing. For a cluster that has a CA, use --renew; its CA stays in use until the new certificate is imported.`;
  static override examples = [
    example('Create a request for one cluster', 'cluster1'),
    example("Print one cluster's request as PEM", 'cluster1 -o csr'),
    example(
      'Let cert-manager create Secret cacerts instead',
      'cluster1 --cert-manager --issuer company-ca | kubectl --context kind-cluster1 apply -f -',
    ),
    example('Create a new key and request for a CA that is about to expire', 'cluster1 --renew'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})(
      keyAlgorithmHelp('key algorithm of new requests', ' (default: mesh.yaml, otherwise rsa-4096)'),
    ),
    renew: Flags.boolean({description: 'create a new key and request, even if the cluster has a CA or a request'}),
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
        throw new MeshError('USAGE', '-o csr cannot be combined with --cert-manager', {
          hints: ['to print the Certificates, use -o yaml'],
        });
      }
      return this.perform(certManagerCertificates, {...request, issuer}, certManagerView, flags);
    }
    if (flags.output === 'yaml') {
      throw new MeshError('USAGE', '-o yaml requires --cert-manager', {hints: ['to print a request, use -o csr']});
    }
    return this.perform(requestCerts, {...request, renew: flags.renew}, certsRequestView, flags);
  }
}

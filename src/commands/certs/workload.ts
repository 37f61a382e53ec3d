import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {validityFlag} from '../../cli/flags/duration.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {keyAlgorithmHelp} from '../../cli/flags/signer.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {keyAlgorithms} from '../../domain/keys/keys.js';
import {parseWorkloadName} from '../../domain/mesh/workload-name.js';
import {defaultWorkloadMs} from '../../domain/ca/workload-certificate.js';
import {issueWorkload, type WorkloadResult} from '../../operations/certs/workload.js';
import {certsWorkloadView} from '../../output/views/certs-workload.js';

export default class CertsWorkload extends MeshCommand {
  static override summary = 'Issue a workload certificate for a machine outside Kubernetes';
  static override description = `Creates a key and issues a certificate for spiffe://TRUSTDOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT, signed by the cluster CA, as istiod would issue it. Writes key.pem, cert-chain.pem and root-cert.pem, the file names that Istio's agent reads, to CLUSTER/workloads/NAMESPACE/SERVICEACCOUNT/.

Requires CLUSTER/ca-key.pem. An existing certificate is replaced only if it has expired, or with --renew. Anyone with these files can act as the service account in every cluster of the mesh: keep the validity short.`;
  static override examples = [
    example(
      'Issue a certificate for a database on a virtual machine, valid for a day',
      'databases/postgres --cluster cluster1',
    ),
    example(
      'Renew a certificate before it expires, with a validity of a week',
      'databases/postgres --cluster cluster1 --validity 7d --renew --yes',
    ),
  ];
  static override args = {
    'namespace/serviceaccount': Args.string({
      required: true,
      ignoreStdin: true,
      description: 'namespace and service account of the workload',
    }),
  };
  static override flags = {
    cluster: Flags.string({
      required: true,
      helpValue: 'CLUSTER',
      description: 'cluster whose CA signs the certificate: the one whose istiod the machine connects to',
    }),
    validity: validityFlag({
      default: defaultWorkloadMs,
      defaultHelp: () => Promise.resolve('24h'),
      description: 'validity of the certificate: at most 90d, and never beyond the expiry of its CAs',
    }),
    'key-algorithm': Flags.option({options: keyAlgorithms})({
      ...keyAlgorithmHelp("algorithm of the workload's key"),
      default: 'ecdsa-p256',
    }),
    renew: Flags.boolean({description: 'replace an existing key and certificate'}),
    ...safetyFlags,
    ...outputFlags(['text', 'json']),
    ...workDirFlags,
  };

  async run(): Promise<WorkloadResult> {
    const {args, flags} = await this.parse(CertsWorkload);
    const request = {
      cluster: flags.cluster,
      workload: parseWorkloadName(args['namespace/serviceaccount']),
      algorithm: flags['key-algorithm'],
      validityMs: flags.validity,
      renew: flags.renew,
    };
    return this.perform(issueWorkload, request, certsWorkloadView, flags);
  }
}

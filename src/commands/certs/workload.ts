import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {durationFlag} from '../../cli/flags/duration.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {keyAlgorithms} from '../../domain/keys/keys.js';
import {parseWorkloadName} from '../../domain/mesh/workload-name.js';
import {defaultWorkloadMs} from '../../domain/ca/workload-certificate.js';
import {issueWorkload, type WorkloadResult} from '../../operations/certs/workload.js';
import {certsWorkloadView} from '../../output/views/certs-workload.js';

export default class CertsWorkload extends MeshCommand {
  static override summary = 'Make a workload certificate, for a machine outside of Kubernetes';
  static override description = `Makes a key and a certificate for spiffe://TRUSTDOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT, signed by the cluster's CA as its istiod would sign it, in CLUSTER/workloads/NAMESPACE/SERVICEACCOUNT/: key.pem, cert-chain.pem and root-cert.pem, by the names that Istio's agent takes.

It needs CLUSTER/ca-key.pem. A certificate that is valid is left as it is; one that has ended is replaced. Whoever holds the files is that service account in every cluster of the mesh: keep the life short.`;
  static override examples = [
    example('For a database on a virtual machine, for a day', 'databases/postgres --cluster cluster1'),
    example(
      'A new one for a week, before the old one has ended',
      'databases/postgres --cluster cluster1 --validity 168h --renew --yes',
    ),
  ];
  static override args = {
    'namespace/serviceaccount': Args.string({
      required: true,
      ignoreStdin: true,
      description: 'who the workload is',
    }),
  };
  static override flags = {
    cluster: Flags.string({
      required: true,
      helpValue: 'CLUSTER',
      description: 'the cluster whose CA signs: the one whose istiod the machine talks to',
    }),
    validity: durationFlag({
      helpValue: '24h',
      default: defaultWorkloadMs,
      defaultHelp: () => Promise.resolve('24h'),
      description: 'how long it is valid, at most 2160h (90 days) and never longer than the CAs above it',
    }),
    'key-algorithm': Flags.option({options: keyAlgorithms})({
      helpValue: keyAlgorithms.join('|'),
      default: 'ecdsa-p256',
      description: "the workload's key",
    }),
    renew: Flags.boolean({description: 'replace key and certificate that are there'}),
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

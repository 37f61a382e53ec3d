import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {clusterFlags, workDirFlags} from '../../cli/flags/target.js';
import {roleLevels} from '../../domain/access/command-rights.js';
import {printRole, type RoleResult} from '../../operations/access/role.js';
import {accessRoleView} from '../../output/views/access.js';

export default class AccessRole extends MeshCommand {
  static override summary = 'Print the least rights for running this program, as manifests';
  static override description = `A ClusterRole and a Role in Istio's namespace, with bindings for the subjects that are named. Nothing is written to a cluster: pipe it into kubectl apply -f -.

reader: verify, trust diff, journal verify, certs list --live, certs adopt. operator: trust push and trust rollback, too. installer: install apply and up, too; istioctl needs so much for this that its holder can take any right.

Secrets are named one by one. Only access show and verify --access have to list them (--access), and the manifest says what that exposes.`;
  static override examples = [
    example(
      'An operator',
      '--role operator --subject Group:mesh-operators | kubectl --context kind-cluster1 apply -f -',
    ),
    example('A pipeline that verifies and cannot read the CA key', '--no-secrets --subject ServiceAccount:ci/verify'),
  ];
  static override flags = {
    role: Flags.option({options: roleLevels})({default: 'reader', description: 'what the role is for'}),
    name: Flags.string({helpValue: 'NAME', description: 'name of the roles and bindings (kubectl-mesh-ROLE)'}),
    subject: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'SUBJECT',
      description: 'bind this subject: User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME; may be repeated',
    }),
    'no-secrets': Flags.boolean({description: 'leave out every right to Secrets, for verify --no-secrets'}),
    access: Flags.boolean({description: 'add what access show and verify --access read'}),
    output: Flags.option({options: ['yaml', 'json'] as const})({
      char: 'o',
      default: 'yaml',
      helpValue: 'yaml|json',
      description: 'how the manifests are printed',
      helpGroup: 'GLOBAL',
    }),
    json: Flags.boolean({description: 'the same as -o json', helpGroup: 'GLOBAL', exclusive: []}),
    'istio-namespace': clusterFlags['istio-namespace'],
    ...workDirFlags,
  };

  async run(): Promise<RoleResult> {
    const {flags} = await this.parse(AccessRole);
    const request = {
      level: flags.role,
      name: flags.name,
      istioNamespace: flags['istio-namespace'],
      subjects: flags.subject ?? [],
      noSecrets: flags['no-secrets'],
      access: flags.access,
    };
    const output = flags.output === 'yaml' ? 'text' : flags.output;
    return this.perform(printRole, request, accessRoleView, {...flags, output});
  }
}

import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {clusterFlags, workDirFlags} from '../../cli/flags/target.js';
import {roleLevels} from '../../domain/access/command-rights.js';
import {printRole, type RoleResult} from '../../operations/access/role.js';
import {accessRoleView} from '../../output/views/access.js';

export default class AccessRole extends MeshCommand {
  static override summary = 'Print least-privilege RBAC manifests for kubectl mesh';
  static override description = `Prints a ClusterRole and a Role in the Istio namespace, with bindings for the given subjects. No cluster is changed: to apply the manifests, pipe them to kubectl apply -f -.

The reader role allows verify, trust diff, journal verify, certs list --live and certs adopt. The operator role also allows trust push, trust rollback, trust rotate, link and unlink. The installer role also allows install apply and up; it includes the permissions that istioctl requires, which allow escalation to any other permission. The renewer role allows only link --renew-only, for the CronJob that link --cron-manifest prints. The traffic role also allows verify --traffic, in a namespace that the manifests create.

The roles grant access to Secrets by name. Only access show and verify --access list Secrets; --access adds these permissions, and a comment in the manifest describes what they expose.`;
  static override examples = [
    example(
      'Grant the operator role to a group',
      '--role operator --subject Group:mesh-operators | kubectl --context kind-cluster1 apply -f -',
    ),
    example(
      'Print a role for a pipeline that runs verify and cannot read CA keys',
      '--no-secrets --subject ServiceAccount:ci/verify',
    ),
  ];
  static override flags = {
    role: Flags.option({options: roleLevels})({
      default: 'reader',
      helpValue: roleLevels.join('|'),
      description: 'role to print',
    }),
    name: Flags.string({helpValue: 'NAME', description: 'name of the roles and bindings (default: kubectl-mesh-ROLE)'}),
    subject: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'SUBJECT',
      description: 'subject to bind: User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME; may be repeated',
    }),
    'no-secrets': Flags.boolean({
      description: 'omit all permissions on Secrets, for verify --no-secrets (roles reader and traffic)',
    }),
    access: Flags.boolean({description: 'add the permissions for access show and verify --access'}),
    output: Flags.option({options: ['yaml', 'json'] as const})({
      char: 'o',
      default: 'yaml',
      helpValue: 'yaml|json',
      description: 'output format',
      helpGroup: 'GLOBAL',
    }),
    json: Flags.boolean({description: 'same as -o json', helpGroup: 'GLOBAL', exclusive: []}),
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

import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {outputFlags, verboseFlags} from '../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../cli/flags/target.js';
import {explainCheck, listChecks} from '../operations/verify/catalogue.js';
import {verifyMesh} from '../operations/verify/verify.js';
import {checkListView, explainView, topologyFormats, verifyView} from '../output/views/verify.js';

/** How long `--wait` follows when `--timeout` is not said: pods that are not ready by then need a look. */
const defaultWaitMs = 300_000;

const checkIds = {multiple: true, multipleNonGreedy: true, delimiter: ',', helpValue: 'ID'} as const;

export default class Verify extends MeshCommand {
  static override summary = 'Prove that the mesh is as declared, or say what is not';
  static override description = `Looks at the work directory, at each cluster's API server and at every running istiod, and judges what it saw.

Each finding has an id, what was observed, what was expected, and the command that mends it. What could not be seen is unknown, never ok. Exit code: 0 all well, 2 mesh.yaml is invalid, 3 findings, 4 something is unknown, 124 --wait was in vain.`;
  static override examples = [
    example('Every cluster of mesh.yaml'),
    example('Wait until a fresh installation is well', 'cluster1 --wait --timeout 5m'),
    example('In a pipeline, warnings count too', '--fail-on warning -o short'),
    example('Who accepts whom, by fingerprint', '-o wide'),
    example('Only the files, without any cluster', '--offline'),
    example('What a check means', '--explain MESH303'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    wait: Flags.boolean({description: 'follow until all is well, or --timeout (5m when not said)'}),
    only: Flags.string({...checkIds, description: 'only these checks: ids or prefixes (MESH3)'}),
    skip: Flags.string({...checkIds, description: 'all but these checks: ids or prefixes'}),
    'fail-on': Flags.option({options: ['error', 'warning'] as const})({
      default: 'error',
      description: 'the least severity that makes the exit code 3',
    }),
    access: Flags.boolean({
      description: 'also judge who can reach the CA keys by RBAC (reads roles, bindings and remote secrets)',
    }),
    'no-secrets': Flags.boolean({description: 'read no Secret'}),
    'no-live': Flags.boolean({description: 'open no connection to istiod'}),
    offline: Flags.boolean({description: 'look at the work directory only'}),
    'list-checks': Flags.boolean({description: 'list all checks', exclusive: ['explain']}),
    explain: Flags.string({
      helpValue: 'ID',
      description: 'explain a check: what it means, how to see it by hand, how to mend it',
    }),
    ...targetFlags,
    ...concurrencyFlags,
    ...outputFlags(['text', 'wide', 'short', 'junit', 'mermaid', 'json']),
    ...verboseFlags,
  };

  async run(): Promise<object> {
    const {args, flags} = await this.parse(Verify);
    if (flags['list-checks']) return this.perform(listChecks, undefined, checkListView, flags);
    if (flags.explain !== undefined) return this.perform(explainCheck, {id: flags.explain}, explainView, flags);
    const request = {
      mesh: meshRequest(flags, args.cluster),
      selection: {only: flags.only ?? [], skip: flags.skip ?? []},
      limits: {noSecrets: flags['no-secrets'], noLive: flags['no-live'], offline: flags.offline, access: flags.access},
      ...(flags.wait && {waitMs: flags.timeout ?? defaultWaitMs}),
      failOn: flags['fail-on'],
      // JSON carries the picture, too, of what the selected checks saw anyway.
      fullTopology: !flags.json && topologyFormats.includes(flags.output),
    };
    return this.perform(verifyMesh, request, verifyView, flags);
  }
}

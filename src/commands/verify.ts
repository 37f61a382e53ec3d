import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {outputFlags, verboseFlags} from '../cli/flags/output.js';
import {signerFlags} from '../cli/flags/signer.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../cli/flags/target.js';
import {trafficFlags} from '../cli/flags/traffic.js';
import {explainCheck, listChecks} from '../operations/verify/catalogue.js';
import {verifyMesh, verifyTraffic} from '../operations/verify/verify.js';
import {checkListView, explainView, pairlessFormats, topologyFormats, verifyView} from '../output/views/verify.js';

/** How long `--wait` waits without `--timeout`: pods that are not ready by then require an investigation. */
const defaultWaitMs = 300_000;

/** How long requests may fail without `--traffic-timeout`: proxies are configured for new pods of other clusters within seconds. */
const defaultTrafficMs = 45_000;

const checkIds = {multiple: true, multipleNonGreedy: true, delimiter: ',', helpValue: 'ID'} as const;

export default class Verify extends MeshCommand {
  static override summary = 'Check that the mesh matches mesh.yaml';
  static override description = `Reads the work directory, each cluster's API server and every running istiod. Nothing is changed.

Each finding has an ID, the observed and the expected state, and the command that fixes it. State that cannot be observed is unknown, never ok.

Exit codes: 0 no findings at or above --fail-on, 2 invalid mesh.yaml, 3 findings, 4 unknown results, 124 --wait timed out.`;
  static override examples = [
    example('Check every cluster in mesh.yaml'),
    example('Wait until all checks of a new installation pass', 'cluster1 --wait --timeout 5m'),
    example('Fail a pipeline on warnings, too', '--fail-on warning -o short'),
    example('Show which clusters trust each other, with fingerprints', '-o wide'),
    example('Check the work directory only, without accessing a cluster', '--offline'),
    example('Explain a check', '--explain MESH303'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    wait: Flags.boolean({description: 'wait until all checks pass, for at most --timeout (default with --wait: 5m)'}),
    only: Flags.string({
      ...checkIds,
      description:
        'run only these checks: IDs or prefixes, such as MESH303 or MESH3, separated by commas; may be repeated',
    }),
    skip: Flags.string({
      ...checkIds,
      description: 'skip these checks: IDs or prefixes, separated by commas; may be repeated',
    }),
    'fail-on': Flags.option({options: ['error', 'warning'] as const})({
      helpValue: 'error|warning',
      default: 'error',
      description: 'lowest severity that results in exit code 3',
    }),
    access: Flags.boolean({
      description:
        'also check which subjects can reach the CA keys through RBAC (reads roles, bindings and remote secrets)',
    }),
    'no-secrets': Flags.boolean({description: 'do not read Secrets; compare istiod with the work directory instead'}),
    'no-live': Flags.boolean({description: 'do not connect to istiod; skip the checks that require it'}),
    offline: Flags.boolean({description: 'check only the work directory; do not access clusters'}),
    'list-checks': Flags.boolean({description: 'list all checks', exclusive: ['explain']}),
    explain: Flags.string({
      helpValue: 'ID',
      description:
        'explain a check: what it means, how to check it by hand and how to fix a finding; for a prefix, list its checks',
    }),
    ...trafficFlags,
    'root-dir': signerFlags['root-dir'],
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
      mesh: {...meshRequest(flags, args.cluster), rootDirectory: flags['root-dir']},
      requireRootKey: flags['root-dir'] !== undefined,
      selection: {only: flags.only ?? [], skip: flags.skip ?? []},
      limits: {noSecrets: flags['no-secrets'], noLive: flags['no-live'], offline: flags.offline, access: flags.access},
      ...(flags.wait && {waitMs: flags.timeout ?? defaultWaitMs}),
      failOn: flags['fail-on'],
      ...(flags.traffic && {traffic: {timeoutMs: flags['traffic-timeout'] ?? defaultTrafficMs}}),
      // JSON always contains the topology, as far as the selected checks read it.
      fullTopology: !flags.json && topologyFormats.includes(flags.output),
      countsPairs: !flags.json && !flags.verbose && pairlessFormats.includes(flags.output),
    };
    return this.perform(flags.traffic ? verifyTraffic : verifyMesh, request, verifyView, flags);
  }
}

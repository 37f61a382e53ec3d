/** What `certs generate` has to do, decided from what the work directory holds. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, type MeshError, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import {madeElsewhere} from '../../domain/mesh/signer.js';
import {signingChain} from '../../domain/ca/trust-store.js';
import {chainPem, orderUpward} from '../../domain/x509/chain.js';
import {cannotIssue} from '../../domain/ca/issuer.js';
import type {ClusterState, RootState} from '../../domain/ca/workdir-state.js';
import type {IssueClusterCa, WriteFiles} from '../../engine/action.js';
import type {FileContent} from '../../workspace/workspace.js';
import {asWarnings, groupOf} from '../../engine/plan.js';
import {gitBlockers, unknownToGit} from '../shared/exposed-keys.js';
import {takeOverGroups} from '../shared/take-over.js';
import type {ClusterFacts, GenerateFacts} from './generate-facts.js';
import {planRoot, type RootAction, type RootPlan} from './plan-root.js';
import type {Blocker, Plan, Warning} from '../../engine/operation.js';

/** The plan, with what was decided for the root and for each cluster. */
export interface GeneratePlan extends Plan {
  readonly root?: RootAction;
  /** By name; without an entry nothing is done to that cluster. */
  readonly clusterActions: ReadonlyMap<string, IssueClusterCa | WriteFiles>;
}

/** Decides. */
export function planGenerate(facts: GenerateFacts): GeneratePlan {
  const plans = facts.clusters.map((cluster) => planCluster(cluster, facts));
  const issuing = plans.flatMap(({action}) => (action?.kind === 'issue-cluster-ca' ? [action] : []));
  const root = planRoot(facts, issuing);
  const actions = plans.flatMap(({action}) => action ?? []);
  const works = root.action !== undefined || actions.length > 0 || facts.taken.files.length > 0;
  const blockers = [
    ...root.blockers,
    ...plans.flatMap(({blocker}) => (blocker ? [blocker] : [])),
    ...(works ? gitBlockers(facts.exposure) : []),
  ];
  return defined({
    groups: [
      ...facts.declare,
      ...takeOverGroups(facts.taken),
      ...groupOf('root CA', root.action ? [root.action] : [], 'always-stop'),
      ...groupOf('cluster CAs', actions),
    ],
    blockers,
    warnings: [
      ...asWarnings(facts.notes),
      ...nothingToGenerate(facts),
      ...facts.taken.warnings,
      ...root.warnings,
      ...(works ? unknownToGit(facts.exposure) : []),
      ...plans.flatMap(({warnings}) => warnings),
    ],
    passphrase: passphraseOf(facts, root, issuing),
    root: root.action,
    clusterActions: new Map(plans.flatMap(({name, action}) => (action ? [[name, action] as const] : []))),
  });
}

interface ClusterPlan {
  readonly name: string;
  readonly action?: IssueClusterCa | WriteFiles;
  readonly blocker?: Blocker;
  readonly warnings: readonly Warning[];
}

function planCluster({cluster, state}: ClusterFacts, facts: GenerateFacts): ClusterPlan {
  const {name} = cluster;
  const unchanged: ClusterPlan = {name, warnings: []};
  // A step of `up` and of scripts: nothing is missing. Only who asks for a new one is refused.
  if (state.kind === 'absent' && !facts.renew && madeElsewhere(facts.mesh.trust.signer) !== undefined) return unchanged;
  if (facts.renew && state.kind !== 'absent') return issue(name, facts, replaced(name, state));
  switch (state.kind) {
    case 'absent':
      return issue(name, facts);
    case 'conflict':
      return {...unchanged, blocker: {cluster: name, error: state.error}};
    case 'completable':
      return completion(name, state, facts.root);
    case 'valid':
      if (!state.keyMissing || !facts.mesh.trust.keepClusterKeys) return unchanged;
      return {
        ...unchanged,
        warnings: asWarnings(
          [`${clusterLayout(name).caKey} is not here: trust push works only where that key is kept`],
          name,
        ),
      };
  }
}

function replaced(name: string, state: ClusterState): string {
  const certificate =
    state.kind === 'valid' ? state.inspection.certificate : state.kind === 'completable' ? state.ca : undefined;
  const until = certificate ? ` (valid until ${certificate.notAfter.toISOString().slice(0, 10)})` : '';
  return `replace the key and certificate of the cluster CA in ${name}/${until}`;
}

function issue(name: string, facts: GenerateFacts, confirm?: string): ClusterPlan {
  const {mesh} = facts;
  const algorithm = mesh.trust.keyAlgorithm;
  const error = cannotSign(facts);
  if (error) return {name, blocker: {cluster: name, error}, warnings: []};
  return {
    name,
    warnings: [],
    action: defined({
      kind: 'issue-cluster-ca',
      id: `${name}/ca`,
      cluster: name,
      signer: mesh.trust.signer,
      title: `${confirm === undefined ? 'issue' : 'renew'} the cluster CA (${algorithm})`,
      algorithm,
      validityDays: mesh.trust.clusterValidityDays,
      names: meshNames(mesh),
      confirm,
    }),
  };
}

function completion(name: string, state: Extract<ClusterState, {kind: 'completable'}>, root: RootState): ClusterPlan {
  if (root.kind !== 'present') return {name, warnings: []};
  const paths = clusterLayout(name);
  const contents = {rootCert: root.text, certChain: chainPem(orderUpward(state.ca, root.roots))};
  const files = state.missing.map((part): FileContent => ({path: paths[part], content: contents[part]}));
  return {
    name,
    warnings: [],
    action: {
      kind: 'write-files',
      id: `${name}/complete`,
      cluster: name,
      title: `add ${files.map(({path}) => path).join(' and ')}`,
      files,
    },
  };
}

function nothingToGenerate({mesh}: GenerateFacts): readonly Warning[] {
  const why = madeElsewhere(mesh.trust.signer);
  return why === undefined ? [] : [{message: `nothing to generate: ${why}`}];
}

/** Which passphrase the actions will use. */
export function passphraseOf(
  {root: found, signer}: GenerateFacts,
  root: RootPlan,
  issuing: readonly IssueClusterCa[],
): Plan['passphrase'] {
  if (root.action?.kind === 'create-root-ca' && root.action.protection === 'encrypted') return 'new';
  const asks = signer.kind === 'key-file' && found.kind === 'present' && found.key === 'encrypted';
  return asks && issuing.length > 0 ? 'existing' : undefined;
}

/** Why no cluster CA can be signed; a conflict of the root's own files is the whole plan's blocker already. */
export function cannotSign({root, signer, now}: GenerateFacts): ErrorReport | undefined {
  switch (signer.kind) {
    case 'elsewhere':
      return signer.error;
    case 'ready':
      return report(cannotIssue(signer.upward, now, signer.what));
    case 'key-file': {
      if (root.kind !== 'present') return undefined;
      if (root.key === 'missing') {
        return problem(
          'FILE_MISSING',
          `${signer.keyPath} is not there: no cluster CA can be issued without it`,
          signer.keyPath === layout.rootKey
            ? `Bring ${layout.rootKey} back, or say where it is kept with --root-dir DIR`
            : `Plug in what ${signer.keyPath} is on, or say where it is now with --root-dir DIR`,
        );
      }
      return report(cannotIssue(signingChain(root, now), now, layout.rootCert));
    }
    case 'rootless':
    case 'idle':
    case 'unavailable':
      return undefined;
  }
}

function report(error: MeshError | undefined): ErrorReport | undefined {
  return error && reportError(error);
}

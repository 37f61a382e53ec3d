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
import type {FileContent, IssueClusterCa, WriteFiles} from '../../engine/action.js';
import {takeOverGroups} from '../shared/take-over.js';
import {caOf, groupOf, guardedPlan} from './ca-run.js';
import type {ClusterFacts, GenerateFacts} from './generate-facts.js';
import {planRoot, type RootAction, type RootPlan} from './plan-root.js';
import type {Plan} from '../../engine/operation.js';

/** The plan, with what was decided for the root and for each cluster. */
export interface GeneratePlan extends Plan {
  readonly root?: RootAction;
  /** Of clusters to which something is done. */
  readonly clusterActions: readonly ClusterAction[];
}

type ClusterAction = (IssueClusterCa | WriteFiles) & {readonly cluster: string};

/** Decides. */
export function planGenerate(facts: GenerateFacts): GeneratePlan {
  const {taken} = facts;
  const plans = facts.clusters.map((one) => ({cluster: one.name, ...planCluster(one, facts)}));
  const clusterActions = plans.flatMap(({action}) => action ?? []);
  const issuing = clusterActions.filter((action) => action.kind === 'issue-cluster-ca');
  const root = planRoot(facts, issuing);
  const elsewhere = madeElsewhere(facts.loaded.mesh.trust.signer);
  const own = {
    groups: [
      ...takeOverGroups(taken),
      ...groupOf('root CA', root.action ? [root.action] : [], 'always-stop'),
      ...groupOf('cluster CAs', clusterActions),
    ],
    blockers: [
      ...(root.error ? [{error: root.error}] : []),
      ...plans.flatMap(({cluster, error}) => (error ? [{cluster, error}] : [])),
    ],
    warnings: [
      ...(elsewhere === undefined ? [] : [{message: `nothing to generate: ${elsewhere}`}]),
      ...taken.warnings,
      ...(root.warning === undefined ? [] : [{message: root.warning}]),
      ...plans.flatMap(({cluster, warning}) => (warning === undefined ? [] : [{cluster, message: warning}])),
    ],
  };
  return defined({
    ...guardedPlan(facts, own, own.groups.length > 0),
    passphrase: passphraseOf(facts, root, issuing),
    root: root.action,
    clusterActions,
  });
}

interface ClusterPlan {
  readonly action?: ClusterAction;
  /** Why it cannot be done. */
  readonly error?: ErrorReport;
  readonly warning?: string;
}

function planCluster({name, state}: ClusterFacts, facts: GenerateFacts): ClusterPlan {
  const {signer, keepClusterKeys} = facts.loaded.mesh.trust;
  if (facts.renew && state.kind !== 'absent') return issue(name, facts, replaced(name, state));
  switch (state.kind) {
    case 'absent':
      // A step of `up` and of scripts: nothing is missing. Only who asks for a new one is refused.
      return facts.renew || madeElsewhere(signer) === undefined ? issue(name, facts) : {};
    case 'conflict':
      return {error: state.error};
    case 'completable':
      return completion(name, state, facts.root);
    case 'valid':
      if (!state.keyMissing || !keepClusterKeys) return {};
      return {warning: `${clusterLayout(name).caKey} is not here: trust push works only where that key is kept`};
  }
}

function replaced(name: string, state: ClusterState): string {
  const certificate = caOf(state);
  const until = certificate ? ` (valid until ${certificate.notAfter.toISOString().slice(0, 10)})` : '';
  return `replace the key and certificate of the cluster CA in ${name}/${until}`;
}

function issue(name: string, facts: GenerateFacts, confirm?: string): ClusterPlan {
  const {mesh} = facts.loaded;
  const {keyAlgorithm: algorithm, signer, clusterValidityDays: validityDays} = mesh.trust;
  const error = cannotSign(facts);
  if (error) return {error};
  const title = `${confirm === undefined ? 'issue' : 'renew'} the cluster CA (${algorithm})`;
  const base = {kind: 'issue-cluster-ca', id: `${name}/ca`, cluster: name} as const;
  return {action: defined({...base, title, signer, algorithm, validityDays, names: meshNames(mesh), confirm})};
}

function completion(name: string, state: Extract<ClusterState, {kind: 'completable'}>, root: RootState): ClusterPlan {
  if (root.kind !== 'present') return {};
  const paths = clusterLayout(name);
  const contents = {rootCert: root.text, certChain: chainPem(orderUpward(state.ca, root.roots))};
  const files = state.missing.map((part): FileContent => ({path: paths[part], content: contents[part]}));
  const title = `add ${files.map(({path}) => path).join(' and ')}`;
  return {action: {kind: 'write-files', id: `${name}/complete`, cluster: name, title, files}};
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

/** `certs generate`: creates the root CA once, and a cluster CA for each cluster. */
import {defined} from '../../domain/defined.js';
import {type CertificateRef, certificateRef} from '../../domain/x509/describe.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import {asWarnings, groupOf, onePhase, type PhaseRun, type Plan} from '../../engine/operation.js';
import {type ClusterResult, concludeRun, outcomeOf} from '../../engine/report.js';
import {caOf, caRunResult, type CaRunResult, type Decision, noticesOf, guardedPlan, replaceText} from './ca-run.js';
import {type GenerateClusterFacts, gatherGenerate, type GenerateFacts, type GenerateRequest} from './generate-facts.js';
import {type ErrorReport, type MeshError, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import {externalCaReason, rootKeyPath} from '../../domain/mesh/signer.js';
import {chainPem, orderUpward} from '../../domain/x509/chain.js';
import {cannotIssue, keyCannotIssue} from '../../domain/ca/issuer.js';
import type {ClusterState, RootState} from '../../domain/ca/workdir-state.js';
import type {IssueClusterCa, WriteFiles} from '../../engine/action.js';
import type {FileContent} from '../../workspace/workspace.js';
import {makefileImportGroups} from '../shared/import-makefile.js';
import {missingDirectory, planRoot, type RootAction, type RootPlan} from './plan-root.js';

/** The root CA after the run. */
export interface RootResult {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was (in a dry run: would be) done; absent when nothing had to change. */
  readonly action?: string;
  readonly certificate?: CertificateRef;
  /** How root-key.pem is protected; `missing`: no such file; `elsewhere`: the key is not kept in a file. */
  readonly protection?: 'encrypted' | 'clear' | 'missing' | 'elsewhere';
  /** The path of the new root key, if it is a file. */
  readonly keyPath?: string;
  /** The root came from the signer, the clusters or a file: compare its fingerprint with the owner's. */
  readonly takenOver?: true;
}

/** One cluster after the run. */
export interface GenerateClusterResult extends ClusterResult {
  /** What was (in a dry run: would be) done; absent when nothing had to change. */
  readonly action?: string;
  readonly certificate?: CertificateRef;
  /** Where the signer deviated from the request. */
  readonly changes?: readonly string[];
}

/** The result of `certs generate`. */
export interface GenerateResult extends CaRunResult<GenerateClusterResult> {
  readonly root: RootResult;
}

/** `certs generate`: creates what is missing and leaves valid files unchanged. */
export const generateCerts = onePhase<GenerateRequest, GenerateResult, GenerateFacts, GeneratePlan>({
  command: 'certs generate',
  changes: true,
  title: () => 'read the work directory',
  gather: gatherGenerate,
  plan: planGenerate,
  report,
  conclude: concludeRun,
});

/** The plan, with the decisions for the root and for each cluster. */
export interface GeneratePlan extends Plan {
  readonly root?: RootAction;
  /** The actions for the clusters that change. */
  readonly clusterActions: readonly NonNullable<ClusterPlan['action']>[];
}

/** Plans the run. Pure. */
export function planGenerate(facts: GenerateFacts): GeneratePlan {
  const plans = facts.clusters.map((one) => ({name: one.name, ...planCluster(one, facts)}));
  const clusterActions = plans.flatMap(({action}) => action ?? []);
  const issuing = clusterActions.filter((action) => action.kind === 'issue-cluster-ca');
  const root = planRoot(facts, issuing);
  const {blockers, warnings} = noticesOf(plans);
  const reason = externalCaReason(facts.loaded.mesh.trust.signer);
  const own = {
    groups: [
      ...makefileImportGroups(facts.makefileImport),
      ...groupOf(root.action ? [root.action] : [], 'always-stop', 'root CA'),
      ...groupOf(clusterActions),
    ],
    blockers: [...(root.error ? [{error: root.error}] : []), ...blockers],
    warnings: [
      ...asWarnings(reason === undefined ? [] : [`nothing to generate: ${reason}`]),
      ...asWarnings(uselessFlags(facts)),
      ...facts.makefileImport.warnings,
      ...asWarnings(root.warning === undefined ? [] : [root.warning]),
      ...warnings,
    ],
  };
  return defined({
    ...guardedPlan(facts, own, own.groups.length > 0),
    passphrase: passphraseOf(facts, root, issuing),
    root: root.action,
    clusterActions,
  });
}

/** Which flags about the root key's passphrase have no effect, because the root key is not a file. */
function uselessFlags({loaded, passphraseFlag, unencrypted}: GenerateFacts): readonly string[] {
  const {type} = loaded.mesh.trust.signer;
  if (type === 'local') return [];
  return [passphraseFlag, unencrypted ? '--no-passphrase' : undefined].flatMap((flag) =>
    flag === undefined
      ? []
      : [`${flag} has no effect: the signer ${type} holds the CA key, which is not ${layout.rootKey}`],
  );
}

type ClusterPlan = Decision<IssueClusterCa | WriteFiles>;

function planCluster({name, state}: GenerateClusterFacts, facts: GenerateFacts): ClusterPlan {
  const {signer, keepClusterKeys} = facts.loaded.mesh.trust;
  if (facts.renew && state.kind !== 'absent') return issue(name, facts, replaceText(name, caOf(state)));
  switch (state.kind) {
    case 'absent':
      // With trust.signer external nothing is missing: `up` and scripts run this step too. Only --renew is refused.
      return facts.renew || externalCaReason(signer) === undefined ? issue(name, facts) : {};
    case 'conflict':
      return {error: state.error};
    case 'completable':
      return completion(name, state, facts.root);
    case 'valid':
      if (!state.keyMissing || !keepClusterKeys) return {};
      return {warning: `${clusterLayout(name).caKey} not found: trust push requires the work directory with that key`};
  }
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

/** The passphrase that the actions use. */
export function passphraseOf(
  {root: found, signer, loaded, makefileImport}: GenerateFacts,
  root: RootPlan,
  issuing: readonly IssueClusterCa[],
): Plan['passphrase'] {
  const spec = loaded.mesh.trust.signer;
  const path = rootKeyPath(spec);
  if (root.action?.kind === 'create-root-ca' && root.action.protection === 'encrypted') return {purpose: 'new', path};
  const needsPassphrase = signer.kind === 'key-file' && found.kind === 'present' && found.key === 'encrypted';
  if (!needsPassphrase || issuing.length === 0) return undefined;
  // Files that the run imports are not in place yet.
  const isInPlace = root.action === undefined && makefileImport.files.length === 0;
  return defined({purpose: 'existing', path, opens: isInPlace ? spec : undefined});
}

/** Why no cluster CA can be signed; a conflict in the root's files already blocks the whole plan. */
export function cannotSign({root, signer, now}: GenerateFacts): ErrorReport | undefined {
  if (signer.kind === 'elsewhere') return signer.error;
  if (signer.kind === 'ready') return toErrorReport(cannotIssue(signer.upward, now, signer.what));
  if (signer.kind !== 'key-file' || root.kind !== 'present') return undefined;
  if (root.key === 'missing' && signer.directoryMissing === true) return missingDirectory(signer.keyPath);
  if (root.key === 'missing') {
    return problem(
      'FILE_MISSING',
      `${signer.keyPath} not found: it is required to issue a cluster CA`,
      signer.keyPath === layout.rootKey
        ? `restore ${layout.rootKey}, or specify its directory with --root-dir DIR`
        : `attach the drive with ${signer.keyPath}, or specify its directory with --root-dir DIR`,
    );
  }
  return toErrorReport(keyCannotIssue(root, now, layout.rootCert));
}

function toErrorReport(error: MeshError | undefined): ErrorReport | undefined {
  return error && reportError(error);
}

type GenerateRun = PhaseRun<GenerateFacts, GeneratePlan>;

function report(run: GenerateRun): GenerateResult {
  const clusters = caRunResult(run, run.facts.clusters, (result, {name, state}): GenerateClusterResult => {
    const action = run.plan.clusterActions.find(({cluster}) => cluster === name);
    const issued = action?.kind === 'issue-cluster-ca' ? outcomeOf(run, action)?.result : undefined;
    const ca = caOf(state);
    const certificate = issued ? inShort(issued) : ca && certificateRef(ca);
    return defined({...result, action: action?.title, certificate, changes: issued?.changes});
  });
  return {root: reportRoot(run), ...clusters};
}

function reportRoot(run: GenerateRun): RootResult {
  const {root, signer} = run.facts;
  const action = run.plan.root;
  const created = action?.kind === 'create-root-ca' ? outcomeOf(run, action)?.result : undefined;
  const importedText = action?.kind === 'write-files' ? action.files[0]?.content : undefined;
  // The imported root, as it is (to be) written.
  const [imported] = typeof importedText === 'string' ? readableRoots(importedText) : [];
  const shown = imported ?? (root.kind === 'present' ? root.roots[0] : undefined);
  return defined({
    outcome: outcomeOf(run, action)?.status ?? (root.kind === 'present' ? 'unchanged' : 'skipped'),
    action: action?.title,
    certificate: created ? inShort(created) : shown && certificateRef(shown),
    protection: protectionOf(root, signer, action),
    keyPath:
      created && created.protection !== 'elsewhere' ? rootKeyPath(run.facts.loaded.mesh.trust.signer) : undefined,
    takenOver: imported && true,
  });
}

function protectionOf(
  root: GenerateFacts['root'],
  signer: GenerateFacts['signer'],
  action: GeneratePlan['root'],
): RootResult['protection'] {
  if (root.kind === 'present') {
    if (root.key !== 'missing') return root.key;
    return signer.kind === 'key-file' || signer.kind === 'idle' ? 'missing' : 'elsewhere';
  }
  if (action?.kind === 'create-root-ca') return action.protection;
  return action && signer.kind === 'ready' ? 'elsewhere' : undefined;
}

function inShort({subject, key, fingerprint, notAfter}: CertificateRef): CertificateRef {
  return {subject, key, fingerprint, notAfter};
}

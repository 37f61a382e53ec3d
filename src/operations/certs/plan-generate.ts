/** What `certs generate` has to do, decided from what the work directory holds. Pure. */
import {type ErrorReport, reportError} from '../../domain/errors.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {meshNames} from '../../domain/mesh/mesh-names.js';
import {madeElsewhere} from '../../domain/mesh/signer.js';
import {chainPem, orderUpward} from '../../domain/pki/chain.js';
import type {ClusterState, RootState} from '../../domain/pki/workdir-state.js';
import type {FileContent, IssueClusterCa, WriteFiles} from '../../engine/action.js';
import type {KnownRoot} from '../shared/mesh-roots.js';
import {type GitExposure, keyInGit, unknownToGit} from '../shared/exposed-keys.js';
import {type TakeOver, takeOverGroups} from '../shared/take-over.js';
import type {SignerState} from '../../signers/signer-module.js';
import {cannotSign, passphraseOf, planRoot, type RootAction} from './plan-root.js';
import type {Blocker, Group, Lane, Plan, Warning} from '../../engine/operation.js';

/** One cluster as it was found. */
export interface ClusterFacts {
  readonly cluster: MeshCluster;
  readonly state: ClusterState;
}

/** What the signer amounts to; `idle`: nothing is to be signed, so it was not asked. */
export type SignerFacts =
  SignerState | {readonly kind: 'idle'} | {readonly kind: 'unavailable'; readonly error: ErrorReport};

/** What the plan is made from. */
export interface GenerateFacts {
  readonly mesh: Mesh;
  /** Replace the cluster CAs that are there. */
  readonly renew: boolean;
  /** `--no-passphrase`. */
  readonly clear: boolean;
  /** A passphrase can be had: a source was named, or there is a terminal. */
  readonly passphraseAvailable: boolean;
  readonly root: RootState;
  /** Where the mesh's root was found that is not in the work directory yet. */
  readonly rootFrom: string | undefined;
  readonly signer: SignerFacts;
  /** `--root` */
  readonly givenRoot?: KnownRoot;
  /** The clusters this run is about. */
  readonly clusters: readonly ClusterFacts[];
  /** root-cert.pem of every cluster folder, asked about or not: what a missing root must not be replaced behind. */
  readonly existingRoots: readonly (KnownRoot & {readonly cluster: string})[];
  /** Whether git would take the keys of this run. */
  readonly exposure: GitExposure;
  readonly now: Date;
  /** What records the mesh where mesh.yaml is silent; goes first. */
  readonly declare: readonly Group[];
  /** What is taken over from a directory that Istio's Makefile made. */
  readonly taken: Pick<TakeOver, 'files' | 'notes' | 'warnings'>;
  /** What reading the mesh found worth saying. */
  readonly notes: readonly string[];
}

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
  const lanes = plans.flatMap(({name, action}): readonly Lane[] =>
    action ? [{key: name, cluster: name, title: `${name}: ${action.title}`, actions: [action]}] : [],
  );
  const works = root.action !== undefined || lanes.length > 0 || facts.taken.files.length > 0;
  const blockers = [
    ...root.blockers,
    ...plans.flatMap(({blocker}) => (blocker ? [blocker] : [])),
    ...(works && facts.exposure.exposed.length > 0 ? [{error: reportError(keyInGit(facts.exposure.exposed))}] : []),
  ];
  return {
    groups: [
      ...facts.declare,
      ...takeOverGroups(facts.taken),
      ...rootGroup(root.action),
      ...(lanes.length > 0 ? [{title: 'cluster CAs', lanes, onFailure: 'stop' as const}] : []),
    ],
    blockers,
    warnings: [
      ...facts.notes.map((message) => ({message})),
      ...nothingToGenerate(facts),
      ...facts.taken.warnings,
      ...root.warnings,
      ...(works ? unknownToGit(facts.exposure) : []),
      ...plans.flatMap(({warnings}) => warnings),
    ],
    passphrase: passphraseOf(facts, root, issuing),
    ...(root.action && {root: root.action}),
    clusterActions: new Map(plans.flatMap(({name, action}) => (action ? [[name, action] as const] : []))),
  };
}

function rootGroup(action: RootAction | undefined): readonly Group[] {
  if (!action) return [];
  const title = 'root CA';
  return [{title, lanes: [{key: title, title, actions: [action]}], onFailure: 'always-stop'}];
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
        warnings: [
          {
            cluster: name,
            message: `${clusterLayout(name).caKey} is not here: trust push works only where that key is kept`,
          },
        ],
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
    action: {
      kind: 'issue-cluster-ca',
      id: `${name}/ca`,
      cluster: name,
      signer: mesh.trust.signer,
      title: `${confirm === undefined ? 'issue' : 'renew'} the cluster CA (${algorithm})`,
      algorithm,
      validityDays: mesh.trust.clusterValidityDays,
      names: meshNames(mesh),
      ...(confirm !== undefined && {confirm}),
    },
  };
}

function completion(name: string, state: Extract<ClusterState, {kind: 'completable'}>, root: RootState): ClusterPlan {
  if (root.kind !== 'present') return {name, warnings: []};
  const paths = clusterLayout(name);
  const contents = {rootCert: root.text, certChain: chainPem(orderUpward(state.ca, root.certificates))};
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

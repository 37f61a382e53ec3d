/** What `certs generate` has to do, decided from what the work directory holds. Pure. */
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {printableLine} from '../../domain/printable.js';
import type {Certificate} from '../../domain/pki/certificate.js';
import {chainPem} from '../../domain/pki/chain.js';
import {passphraseNeeded} from '../../domain/pki/passphrase.js';
import type {ClusterState, RootState} from '../../domain/pki/workdir-state.js';
import type {Action, CreateRootCa, FileContent, IssueClusterCa, WriteFiles} from '../../engine/action.js';
import {type TakeOver, takeOverGroups} from '../shared/take-over.js';
import type {Blocker, Group, Lane, Plan, Warning} from '../../engine/operation.js';

/** One cluster as it was found. */
export interface ClusterFacts {
  readonly cluster: MeshCluster;
  readonly state: ClusterState;
}

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
  /** The clusters this run is about. */
  readonly clusters: readonly ClusterFacts[];
  /** root-cert.pem of every cluster folder, asked about or not: what a missing root must not be replaced behind. */
  readonly existingRoots: readonly {
    readonly cluster: string;
    readonly text: string;
    readonly fingerprints: readonly string[];
  }[];
  /** Keys that would be written where git sees them. */
  readonly exposedKeys: readonly string[];
  /** Why git would not say whether it sees the keys; undefined where it did, or where there is no git tree. */
  readonly gitUnknown: string | undefined;
  readonly now: Date;
  /** What records the mesh where mesh.yaml is silent; goes first. */
  readonly declare: readonly Group[];
  /** What is taken over from a directory that Istio's Makefile made. */
  readonly taken: Pick<TakeOver, 'files' | 'notes' | 'warnings'>;
  /** What reading the mesh found worth saying. */
  readonly notes: readonly string[];
}

/** Keys made ahead while the root's is made: more would only wait for a core. */
const keysAhead = 4;

/** Decides. */
export function planGenerate(facts: GenerateFacts): Plan {
  const plans = facts.clusters.map((cluster) => planCluster(cluster, facts));
  const issuing = plans.some(({action}) => action?.kind === 'issue-cluster-ca');
  const root = planRoot(
    facts,
    issuing,
    plans.flatMap(({action}) => (action?.kind === 'issue-cluster-ca' ? [action] : [])),
  );
  const lanes = plans.flatMap(({name, action}): readonly Lane[] =>
    action ? [{key: name, cluster: name, title: `${name}: ${action.title}`, actions: [action]}] : [],
  );
  const works = root.actions.length > 0 || lanes.length > 0 || facts.taken.files.length > 0;
  const blockers = [
    ...root.blockers,
    ...plans.flatMap(({blocker}) => (blocker ? [blocker] : [])),
    ...(works ? exposed(facts) : []),
  ];
  return {
    groups: [
      ...facts.declare,
      ...takeOverGroups(facts.taken),
      ...asGroup('root CA', root.actions),
      ...(lanes.length > 0 ? [{title: 'cluster CAs', lanes, onFailure: 'stop' as const}] : []),
    ],
    blockers,
    warnings: [
      ...facts.notes.map((message) => ({message})),
      ...facts.taken.warnings,
      ...root.warnings,
      ...(works ? unknownToGit(facts) : []),
      ...plans.flatMap(({warnings}) => warnings),
    ],
    passphrase: passphraseOf(facts, root, issuing),
  };
}

function passphraseOf({root: found}: GenerateFacts, root: RootPlan, issuing: boolean): Plan['passphrase'] {
  if (root.actions.some((action) => action.kind === 'create-root-ca' && action.protection === 'encrypted'))
    return 'new';
  return found.kind === 'present' && found.key === 'encrypted' && issuing ? 'existing' : undefined;
}

function asGroup(title: string, actions: readonly Action[]): readonly Group[] {
  if (actions.length === 0) return [];
  return [{title, lanes: [{key: title, title, actions}], onFailure: 'always-stop'}];
}

interface RootPlan {
  readonly actions: readonly Action[];
  readonly blockers: readonly Blocker[];
  readonly warnings: readonly Warning[];
}

function planRoot(facts: GenerateFacts, issuing: boolean, ahead: readonly IssueClusterCa[]): RootPlan {
  const {root} = facts;
  const nothing: RootPlan = {actions: [], blockers: [], warnings: []};
  const blocked = (error: MeshError): RootPlan => ({...nothing, blockers: [{error: reportError(error)}]});
  switch (root.kind) {
    case 'conflict':
      return {...nothing, blockers: [{error: root.error}]};
    case 'present':
      if (root.key === 'clear') {
        return {
          ...nothing,
          warnings: [{message: `${layout.rootKey} is not encrypted: whoever reads it owns the mesh`}],
        };
      }
      if (root.key === 'encrypted' && issuing && !facts.passphraseAvailable) return blocked(passphraseNeeded());
      return {...nothing, warnings: weakProtection(root)};
    case 'absent':
      return planMissingRoot(facts, issuing, ahead, nothing, blocked);
  }
}

function planMissingRoot(
  facts: GenerateFacts,
  issuing: boolean,
  ahead: readonly IssueClusterCa[],
  nothing: RootPlan,
  blocked: (error: MeshError) => RootPlan,
): RootPlan {
  const [first, ...others] = facts.existingRoots;
  if (first) {
    const other = others.find(({fingerprints}) => !sameSet(fingerprints, first.fingerprints));
    if (other) {
      return blocked(
        new MeshError(
          'WORKDIR_CONFLICT',
          `${first.cluster} and ${other.cluster} have different roots, and there is no ${layout.rootCert} that says which is the mesh's`,
          {hints: [`Copy the ${layout.rootCert} of the root that the mesh shall have to the work directory`]},
        ),
      );
    }
    if (issuing) {
      return blocked(
        new MeshError(
          'FILE_MISSING',
          `${first.cluster} has a root already, but ${layout.rootCert} and ${layout.rootKey} are gone: a new root would split the mesh's trust`,
          {hints: [`Bring ${layout.rootCert} and ${layout.rootKey} back`]},
        ),
      );
    }
    return {...nothing, actions: [adoptRoot(first.text)]};
  }
  if (!facts.clear && !facts.passphraseAvailable) return blocked(passphraseNeeded());
  return {...nothing, actions: [createRoot(facts, ahead)], warnings: facts.clear ? [clearWarning] : []};
}

const clearWarning: Warning = {
  message: `${layout.rootKey} is written in the clear (--no-passphrase): whoever reads it owns the mesh`,
};

function weakProtection(root: Extract<RootState, {kind: 'present'}>): readonly Warning[] {
  const encryption = root.keyFacts?.encryption;
  if (!encryption?.weak) return [];
  return [{message: `${layout.rootKey} is encrypted with ${encryption.kdf}: guessing its passphrase is cheap`}];
}

function createRoot(facts: GenerateFacts, ahead: readonly IssueClusterCa[]): CreateRootCa {
  const {mesh, clear} = facts;
  const algorithm = mesh.trust.keyAlgorithm;
  return {
    kind: 'create-root-ca',
    id: 'root-ca',
    title: `create the root CA (${algorithm}, ${clear ? 'key in the clear' : 'key encrypted'})`,
    algorithm,
    validityDays: mesh.trust.rootValidityDays,
    protection: clear ? 'clear' : 'encrypted',
    ...(mesh.meshID !== undefined && {meshID: mesh.meshID}),
    keysAhead: ahead.slice(0, keysAhead).map(({cluster, algorithm: key}) => ({cluster, algorithm: key})),
  };
}

function adoptRoot(text: string): WriteFiles {
  return {
    kind: 'write-files',
    id: 'root-cert',
    title: `take ${layout.rootCert} over from the clusters`,
    files: [{path: layout.rootCert, content: text}],
  };
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
  const {root, mesh, now} = facts;
  const algorithm = mesh.trust.keyAlgorithm;
  const error = cannotIssue(root, now);
  if (error) return {name, blocker: {cluster: name, error: reportError(error)}, warnings: []};
  return {
    name,
    warnings: [],
    action: {
      kind: 'issue-cluster-ca',
      id: `${name}/ca`,
      cluster: name,
      title: `${confirm === undefined ? 'issue' : 'renew'} the cluster CA (${algorithm})`,
      algorithm,
      validityDays: mesh.trust.clusterValidityDays,
      ...(confirm !== undefined && {confirm}),
    },
  };
}

/** Why this root cannot sign; a conflict of the root's own files is the whole plan's blocker already. */
function cannotIssue(root: RootState, now: Date): MeshError | undefined {
  if (root.kind !== 'present') return undefined;
  if (root.key === 'missing') {
    return new MeshError(
      'FILE_MISSING',
      `${layout.rootKey} is not in the work directory: no cluster CA can be issued without it`,
      {
        hints: [`Bring ${layout.rootKey} back, or run this where it is kept`],
      },
    );
  }
  const signing = root.signing ?? root.certificates.find(({notAfter}) => notAfter > now) ?? root.certificates[0];
  if (signing && signing.notAfter <= now) {
    return new MeshError(
      'WORKDIR_CONFLICT',
      `${layout.rootCert} ("${signing.subject.text}") expired on ${signing.notAfter.toISOString()}: it cannot sign any more`,
      {
        hints: [
          'A new root means a new trust for every workload: move root-cert.pem, root-key.pem and the cluster folders away and start again',
        ],
      },
    );
  }
  return undefined;
}

function completion(name: string, state: Extract<ClusterState, {kind: 'completable'}>, root: RootState): ClusterPlan {
  if (root.kind !== 'present') return {name, warnings: []};
  const paths = clusterLayout(name);
  const contents = {rootCert: root.text, certChain: chainPem([state.ca, ...issuerOf(state.ca, root)])};
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

function issuerOf(ca: Certificate, root: Extract<RootState, {kind: 'present'}>): readonly Certificate[] {
  const issuer = root.certificates.find((one) => ca.signedBy(one.publicKey));
  return issuer ? [issuer] : [];
}

/** A key in a git tree that is not ignored will be pushed one day. */
function exposed({exposedKeys}: GenerateFacts): readonly Blocker[] {
  if (exposedKeys.length === 0) return [];
  const error: ErrorReport = reportError(
    new MeshError('KEY_IN_GIT', `git does not ignore ${exposedKeys.join(', ')}: the next commit would publish keys`, {
      hints: ["Add '*key.pem' to .gitignore; a file that is tracked already: git rm --cached FILE"],
    }),
  );
  return [{error}];
}

/** Unknown is no reason to refuse keys where there may be no git at all, but it is no "ignored" either. */
function unknownToGit({gitUnknown}: GenerateFacts): readonly Warning[] {
  if (gitUnknown === undefined) return [];
  return [{message: `git would not say whether it ignores the keys: ${printableLine(gitUnknown)}`}];
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item) => other.includes(item));
}

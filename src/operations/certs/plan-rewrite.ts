/** Plans `certs rewrite`: which files are written in canonical form, and which roots are removed. Pure. */
import {caFileNames, type CaFiles, type CaPart} from '../../domain/ca/ca-files.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {isBlocking, publishedKeyProblem} from '../../domain/ca/istiod-rules.js';
import {type CaWithChain, decideExpiredRoots, type ExpiredRoots} from '../../domain/ca/leftover-roots.js';
import {certificatesIn, rewriteCaFiles} from '../../domain/ca/rewrite.js';
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import {Sensitive} from '../../domain/sensitive.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {chainPem} from '../../domain/x509/chain.js';
import type {WriteFiles} from '../../engine/action.js';
import {asWarnings, groupOf, type Plan} from '../../engine/operation.js';
import type {FileContent} from '../../workspace/workspace.js';
import {type Decision, type GuardedMesh, guardedPlan, noticesOf} from './ca-run.js';

/** The input of the plan. */
export interface RewriteFacts extends GuardedMesh {
  /** The files of every cluster of the mesh: the chains of all decide which roots are needed. */
  readonly files: ReadonlyMap<string, CaFiles>;
  /** root-cert.pem of the mesh. */
  readonly rootCert: string | undefined;
  /** Whether to remove expired roots. */
  readonly removeExpiredRoots: boolean;
  readonly now: Date;
}

/** The decision for a cluster, or for the mesh's root-cert.pem. */
export interface RewriteDecision extends Omit<Decision<WriteFiles>, 'action'> {
  readonly action?: WriteFiles;
  /** The roots to remove from its root-cert.pem. */
  readonly removed: readonly Certificate[];
}

/** The plan, with the decisions that the report needs. */
export interface RewritePlan extends Plan {
  readonly root: RewriteDecision;
  readonly clusters: ReadonlyMap<string, RewriteDecision>;
}

/** Plans the run. */
export function planRewrite(facts: RewriteFacts): RewritePlan {
  const root = planRootCert(facts);
  const clusters = new Map(facts.loaded.clusters.map(({name}) => [name, planCluster(name, facts)]));
  const actions = [...clusters.values()].flatMap(({action}) => action ?? []);
  const {blockers, warnings} = noticesOf(
    [...clusters].map(([name, {error, warning}]) => defined({name, error, warning})),
  );
  const plan = guardedPlan(
    facts,
    {
      groups: [...groupOf(root.action ? [root.action] : [], 'always-stop', layout.rootCert), ...groupOf(actions)],
      blockers: [...(root.error ? [{error: root.error}] : []), ...blockers],
      warnings: [...asWarnings(root.warning === undefined ? [] : [root.warning]), ...warnings],
    },
    actions.length > 0,
  );
  return {...plan, root, clusters};
}

/** The mesh's root-cert.pem: each root once, without text, and without expired ones if requested. */
function planRootCert(facts: RewriteFacts): RewriteDecision {
  const {rootCert} = facts;
  if (rootCert === undefined) return {removed: []};
  const published = publishedKeyProblem({rootCert});
  if (published !== undefined) return {removed: [], error: publishedError(published)};
  const roots = certificatesIn(rootCert);
  if (!roots) return {removed: [], error: unreadableError([layout.rootCert])};
  const {kept, removed, needed} = decideRoots(roots, facts);
  const files = changedFiles([{path: layout.rootCert, before: rootCert, after: chainPem(kept)}]);
  return {...decided({id: 'root-cert'}, files, removed), ...warningOf(needed.map(keptText)), removed};
}

function planCluster(name: string, facts: RewriteFacts): RewriteDecision {
  const before = facts.files.get(name) ?? {};
  const published = publishedKeyProblem(before);
  if (published !== undefined) return {removed: [], error: publishedError(`${name}: ${published}`)};
  const {removed, needed} = decideRoots(certificatesIn(before.rootCert) ?? [], facts);
  const {files: after, unreadable} = rewriteCaFiles(before, removed);
  const paths = clusterLayout(name);
  if (unreadable.length > 0) return {removed: [], error: unreadableError(unreadable.map((part) => paths[part]))};
  const parts = Object.keys(caFileNames) as readonly CaPart[];
  const files = changedFiles(parts.map((part) => ({path: paths[part], before: before[part], after: after[part]})));
  const remaining = files.length === 0 ? [] : remainingFindings(after, facts);
  return {
    ...decided({id: `${name}/rewrite`, cluster: name}, files, removed),
    ...warningOf([...needed.map(keptText), ...remaining]),
    removed,
  };
}

function decideRoots(roots: readonly Certificate[], {files, now, removeExpiredRoots}: RewriteFacts): ExpiredRoots {
  if (!removeExpiredRoots) return {kept: roots, removed: [], needed: []};
  const clusters = [...files].flatMap(([cluster, {caCert, certChain}]): readonly CaWithChain[] => {
    const [certificate] = certificatesIn(caCert) ?? [];
    return certificate ? [{cluster, certificate, chain: certificatesIn(certChain) ?? []}] : [];
  });
  return decideExpiredRoots(roots, clusters, now);
}

interface FileChange {
  readonly path: string;
  readonly before: FileContent['content'] | undefined;
  readonly after: FileContent['content'] | undefined;
}

function changedFiles(changes: readonly FileChange[]): readonly FileContent[] {
  return changes.flatMap(({path, before, after}) =>
    after === undefined || isSame(before, after) ? [] : [{path, content: after}],
  );
}

function isSame(before: FileChange['before'], after: FileContent['content']): boolean {
  if (before instanceof Sensitive && after instanceof Sensitive) {
    return before.test((one) => after.test((other) => one === other));
  }
  return before === after;
}

function decided(
  {id, cluster}: {readonly id: string; readonly cluster?: string},
  files: readonly FileContent[],
  removed: readonly Certificate[],
): Pick<RewriteDecision, 'action'> {
  if (files.length === 0) return {};
  const names = files.map(({path}) => path).join(', ');
  const roots = removed.map(({subject}) => `"${subject.text}"`).join(', ');
  const title = `rewrite ${names}${roots === '' ? '' : ` without the expired ${roots}`}`;
  const confirm = `${title}: text around certificates, and certificates that are repeated or not part of the chain, are lost`;
  return {action: defined({kind: 'write-files', id, cluster, title, files, confirm} as const)};
}

/** What is still wrong with the rewritten files: another command has to resolve it. */
function remainingFindings(files: CaFiles, {loaded: {mesh}, now}: RewriteFacts): readonly string[] {
  const {findings} = inspectCaFiles(files, {now, ...meshNames(mesh), keyMayBeMissing: true});
  return findings.filter((one) => isBlocking(one) && one.id !== 'incomplete').map(({message}) => message);
}

function keptText({root, reason}: ExpiredRoots['needed'][number]): string {
  return `the expired root "${root.subject.text}" is kept: ${reason}`;
}

function warningOf(messages: readonly string[]): Pick<RewriteDecision, 'warning'> {
  return messages.length === 0 ? {} : {warning: messages.join('; ')};
}

function publishedError(message: string): ErrorReport {
  return problem('PRIVATE_KEY_PUBLISHED', message, 'remove the key from the file, and replace it: it is compromised');
}

function unreadableError(paths: readonly string[]): ErrorReport {
  const [be, it] = paths.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return problem(
    'WORKDIR_CONFLICT',
    `${paths.join(', ')} ${be} damaged, not only in another form`,
    `restore ${it} from Git or a backup`,
  );
}

/** `certs rewrite`: writes the files of the cluster CAs in canonical form, with the same keys and certificates. */
import {defined} from '../../domain/defined.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type RootRef, rootRef} from '../../domain/ca/trust-store.js';
import type {Deps} from '../../engine/deps.js';
import {onePhase, type PhaseRun} from '../../engine/operation.js';
import {type ClusterResult, concludeRun, outcomeOf} from '../../engine/report.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import {caRunResult, type CaRunResult, guardKeys} from './ca-run.js';
import {planRewrite, type RewriteDecision, type RewriteFacts, type RewritePlan} from './plan-rewrite.js';

/** The request of `certs rewrite`. */
export interface RewriteRequest extends Pick<MeshRequest, 'clusters'> {
  /** `--remove-expired-roots` */
  readonly removeExpiredRoots: boolean;
}

/** What was (in a dry run: would be) written; the fields are absent if nothing had to change. */
export interface Rewritten {
  readonly action?: string;
  readonly files?: readonly string[];
  readonly removedRoots?: readonly RootRef[];
}

/** The result of `certs rewrite`. */
export interface RewriteResult extends CaRunResult<ClusterResult & Rewritten> {
  /** root-cert.pem of the mesh. */
  readonly root: Rewritten & {readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled'};
}

/** `certs rewrite` */
export const rewriteCerts = onePhase<RewriteRequest, RewriteResult, RewriteFacts, RewritePlan>({
  command: 'certs rewrite',
  changes: true,
  title: () => 'read the work directory',
  gather,
  plan: planRewrite,
  report,
  conclude: concludeRun,
});

async function gather(deps: Deps, {clusters, removeExpiredRoots}: RewriteRequest): Promise<RewriteFacts> {
  const loaded = await loadMesh(deps, {clusters});
  const read = loaded.mesh.clusters.map(async ({name}) => [name, await readCaFiles(deps.workspace, name)] as const);
  const [files, rootCert] = await Promise.all([Promise.all(read), deps.workspace.readText(layout.rootCert)]);
  const keys = loaded.clusters.map(({name}) => clusterLayout(name).caKey);
  return {
    ...(await guardKeys(deps, loaded, keys)),
    ...{files: new Map(files), rootCert, removeExpiredRoots, now: deps.now()},
  };
}

function report(run: PhaseRun<RewriteFacts, RewritePlan>): RewriteResult {
  const {root, clusters} = run.plan;
  const result = caRunResult(run, run.facts.loaded.clusters, (own, {name}) => ({
    ...own,
    ...rewritten(clusters.get(name)),
  }));
  const outcome = outcomeOf(run, root.action)?.status ?? (root.error ? 'failed' : 'unchanged');
  return {root: {outcome, ...rewritten(root)}, ...result};
}

function rewritten({action, removed = []}: Partial<RewriteDecision> = {}): Rewritten {
  return defined({
    action: action?.title,
    files: action?.files.map(({path}) => path),
    removedRoots: action && removed.length > 0 ? removed.map(rootRef) : undefined,
  });
}

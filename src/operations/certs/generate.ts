/** `certs generate`: the root CA once, a cluster CA for each cluster. */
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {KeyAlgorithm} from '../../domain/mesh/mesh.js';
import {parseCertificates} from '../../domain/pki/certificate.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/pki/describe.js';
import {type ClusterState, judgeCluster, judgeRoot, type RootState} from '../../domain/pki/workdir-state.js';
import type {Action, FileContent} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import type {Detail, Operation, Outcome, PhaseRun, Warning} from '../../engine/operation.js';
import {
  type ClusterResult,
  clusterOutcomes,
  concludeClusters,
  type CommonResult,
  generalErrors,
} from '../../engine/report.js';
import type {ErrorReport} from '../../domain/errors.js';
import {declareGroups, type LoadedMesh, loadMesh} from '../shared/load-mesh.js';
import {createCaFileReader} from '../shared/read-ca-files.js';
import {takeOver} from '../shared/take-over.js';
import {type ClusterFacts, type GenerateFacts, planGenerate} from './plan-generate.js';

/** What `certs generate` is asked for. */
export interface GenerateRequest {
  readonly clusters: readonly string[];
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  /** Replace cluster CAs that are there, under the same root. */
  readonly renew: boolean;
  /** `--no-passphrase`: a new root key is written in the clear. */
  readonly clear: boolean;
}

/** A CA after the run: what was issued, or what was there. */
export type CaSummary = Pick<CertificateSummary, 'subject' | 'key' | 'fingerprint' | 'notAfter'>;

/** The root CA after the run. */
export interface RootResult {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CaSummary;
  /** How root-key.pem is protected; `missing`: it is kept elsewhere. */
  readonly protection?: 'encrypted' | 'clear' | 'missing';
}

/** One cluster after the run. */
export interface GenerateClusterResult extends ClusterResult {
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CaSummary;
}

/** What `certs generate` answers. */
export interface GenerateResult extends CommonResult {
  readonly root: RootResult;
  readonly clusters: readonly GenerateClusterResult[];
  /** What kept the whole run from being done. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** Makes what is missing and leaves alone what is valid. */
export const generateCerts: Operation<GenerateRequest, GenerateResult> = {
  command: 'certs generate',
  changes: true,
  async execute(request, engine) {
    const run = await engine.run<GenerateFacts>({
      title: 'read the work directory',
      gather: (deps) => gather(request, deps),
      plan: planGenerate,
    });
    return report(run);
  },
  conclude: ({clusters, errors}) => [...concludeClusters(clusters), ...errors.map(({code}) => code)],
};

async function gather(request: GenerateRequest, deps: Deps): Promise<GenerateFacts> {
  const {workspace} = deps;
  const now = deps.now();
  const loaded = await loadMesh(deps, {clusters: request.clusters, keyAlgorithm: request.keyAlgorithm});
  const taken = await takeOver(deps);
  const reader = createCaFileReader(workspace, taken.files);
  const root = judgeRoot(await reader.root());
  const declared = loaded.mesh.clusters.map(({name}) => name);
  const clusters = await Promise.all(
    loaded.clusters.map(async (cluster): Promise<ClusterFacts> => {
      const files = await reader.cluster(cluster.name);
      return {cluster, state: judgeCluster(cluster.name, files, root, declared, now)};
    }),
  );
  return {
    mesh: loaded.mesh,
    renew: request.renew,
    clear: request.clear,
    passphraseAvailable: deps.passphrases.available,
    root,
    clusters,
    existingRoots: root.kind === 'absent' ? await findRoots(deps) : [],
    ...(await askGit(deps, loaded, keysToWrite(root, clusters, request.renew, taken.files))),
    now,
    declare: declareGroups(loaded),
    taken,
    notes: loaded.notes,
  };
}

/** Roots that cluster folders hold, also of clusters this run is not about. Unreadable ones are judged elsewhere. */
async function findRoots({workspace}: Deps): Promise<GenerateFacts['existingRoots']> {
  const names = await workspace.list('.');
  const found = await Promise.all(
    names.map(async (name) => {
      if ((await workspace.stat(name))?.kind !== 'directory') return [];
      const text = await workspace.readText(clusterLayout(name).rootCert);
      if (text === undefined) return [];
      try {
        const {certificates} = parseCertificates(text, clusterLayout(name).rootCert);
        return [{cluster: name, text, fingerprints: certificates.map(({fingerprint}) => fingerprint)}];
      } catch {
        // What cannot be read must still keep a new root from being made behind its back.
        return [{cluster: name, text, fingerprints: []}];
      }
    }),
  );
  return found.flat();
}

function keysToWrite(
  root: RootState,
  clusters: readonly ClusterFacts[],
  renew: boolean,
  taken: readonly FileContent[],
): readonly string[] {
  const issued = clusters.filter(({state}: {state: ClusterState}) => state.kind === 'absent' || renew);
  return [
    ...(root.kind === 'absent' ? [layout.rootKey] : []),
    ...issued.map(({cluster}) => clusterLayout(cluster.name).caKey),
    ...taken.flatMap(({path, content}) => (typeof content === 'string' ? [] : [path])),
  ];
}

/**
 * Keys that git would take: tracked already, or not ignored and not about to be by the .gitignore this run writes. And
 * why git would not say, where it would not.
 */
async function askGit(
  {git, workspace}: Deps,
  loaded: LoadedMesh,
  keys: readonly string[],
): Promise<Pick<GenerateFacts, 'exposedKeys' | 'gitUnknown'>> {
  // A work directory that is still to be made (a dry run's) holds nothing that git could track, and gets a .gitignore.
  if ((await workspace.list('.')).length === 0 && (await workspace.stat('.')) === undefined) {
    return {exposedKeys: [], gitUnknown: undefined};
  }
  const willIgnore = loaded.declare.some(({path}) => path === layout.gitignore);
  const answers = await git.isIgnored(workspace.root, keys);
  const unknown = [...answers.values()].find((ignored) => ignored.answer === 'unknown');
  return {
    exposedKeys: keys.filter((key) => {
      const answer = answers.get(key)?.answer;
      return answer === 'tracked' || (answer === 'not-ignored' && !willIgnore);
    }),
    gitUnknown: unknown?.why,
  };
}

function report(run: PhaseRun<GenerateFacts>): GenerateResult {
  const {facts} = run;
  const names = facts.clusters.map(({cluster}) => cluster.name);
  return {
    root: reportRoot(run),
    clusters: clusterOutcomes(names, run).map((result) => {
      const state = facts.clusters.find(({cluster}) => cluster.name === result.name)?.state;
      const certificate = issued(run.outcomes, `${result.name}/ca`) ?? found(state, facts);
      const action = plannedAction(run, (one) => one.cluster === result.name);
      return {...result, ...(action && {action: action.title}), ...(certificate && {certificate})};
    }),
    errors: generalErrors(run),
    warnings: run.plan.warnings,
  };
}

function plannedAction({plan}: PhaseRun<GenerateFacts>, matches: (action: Action) => boolean): Action | undefined {
  return plan.groups.flatMap(({lanes}) => lanes.flatMap(({actions}) => actions)).find(matches);
}

function reportRoot(run: PhaseRun<GenerateFacts>): RootResult {
  const {facts, outcomes} = run;
  const action = plannedAction(run, ({id}) => id === 'root-ca' || id === 'root-cert');
  const outcome = outcomes.find(({id}) => id === 'root-ca' || id === 'root-cert');
  const {root} = facts;
  const [first] = root.kind === 'present' ? root.certificates : [];
  const certificate =
    issued(outcomes, 'root-ca') ??
    (first && caSummary(summarizeCertificate(first, facts.mesh.trust.expiry, facts.now)));
  const protection =
    root.kind === 'present' ? root.key : outcome?.id === 'root-ca' ? (facts.clear ? 'clear' : 'encrypted') : undefined;
  return {
    outcome: outcome?.status ?? (root.kind === 'present' ? 'unchanged' : 'skipped'),
    ...(action && {action: action.title}),
    ...(certificate && {certificate}),
    ...(protection && {protection}),
  };
}

function found(state: ClusterState | undefined, {mesh, now}: GenerateFacts): CaSummary | undefined {
  const certificate =
    state?.kind === 'valid' ? state.inspection.certificate : state?.kind === 'completable' ? state.ca : undefined;
  return certificate && caSummary(summarizeCertificate(certificate, mesh.trust.expiry, now));
}

/** What an effect said of the certificate it issued (`certificate-detail.ts`). */
function issued(outcomes: readonly Outcome[], id: string): CaSummary | undefined {
  const detail: Detail | undefined = outcomes.find((outcome) => outcome.id === id)?.detail;
  if (!detail) return undefined;
  const text = (field: keyof CaSummary): string => {
    const value = detail[field];
    return typeof value === 'string' ? value : '';
  };
  return {subject: text('subject'), key: text('key'), fingerprint: text('fingerprint'), notAfter: text('notAfter')};
}

function caSummary({subject, key, fingerprint, notAfter}: CertificateSummary): CaSummary {
  return {subject, key, fingerprint, notAfter};
}

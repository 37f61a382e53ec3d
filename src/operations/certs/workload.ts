/** `certs workload`: issues a certificate for a workload outside Kubernetes, like one from the cluster's istiod. */
import {formatMinute} from '../../domain/format.js';
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem} from '../../domain/errors.js';
import {clusterLayout, type WorkloadLayout, workloadLayout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {usesCacerts} from '../../domain/mesh/signer.js';
import {spiffeIdOf, type WorkloadName} from '../../domain/mesh/workload-name.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {certificateRef, type CertificateRef} from '../../domain/x509/describe.js';
import {type CaInspection, inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {
  workloadStateOf,
  maxWorkloadMs,
  minWorkloadMs,
  workloadEnd,
  type WorkloadState,
} from '../../domain/ca/workload-certificate.js';
import {advice, fixWith, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {IssueWorkload} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {
  blockedPlan,
  emptyPlan,
  groupOf,
  onePhase,
  type PhaseRun,
  type Plan,
  type Warning,
} from '../../engine/operation.js';
import {gitBlockers} from '../shared/exposed-keys.js';
import {concludeRun, outcomeOf} from '../../engine/report.js';
import {loadMesh} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {caRunResult, type CaRunResult, guardedPlan, type GuardedMesh, guardKeys} from './ca-run.js';

/** The request of `certs workload`. */
export interface IssueWorkloadRequest {
  readonly cluster: string;
  readonly workload: WorkloadName;
  readonly algorithm: KeyAlgorithm;
  /** Milliseconds. */
  readonly validityMs: number;
  /** Replace existing files, valid or not. */
  readonly renew: boolean;
}

/** The result of `certs workload`. */
export interface WorkloadResult extends CaRunResult {
  readonly spiffeId: string;
  /** The three files, relative to the work directory. */
  readonly files: {readonly key: string; readonly certChain: string; readonly rootCert: string};
  /** What was (in a dry run: would be) done; absent when nothing had to change. */
  readonly action?: string;
  /** The certificate after the run. */
  readonly certificate?: Omit<CertificateRef, 'subject'>;
}

interface IssueWorkloadFacts extends GuardedMesh {
  readonly request: IssueWorkloadRequest;
  readonly cluster: MeshCluster;
  readonly paths: WorkloadLayout;
  readonly spiffeId: string;
  readonly files: CaFiles;
  readonly inspection: CaInspection;
  readonly state: WorkloadState;
  readonly now: Date;
}

/** A plan, with the action that issues the certificate, if any. */
interface WorkloadPlan extends Plan {
  readonly action?: IssueWorkload;
}

/** Creates a workload's key, and a certificate signed with the cluster's CA key. */
export const issueWorkload = onePhase<IssueWorkloadRequest, WorkloadResult, IssueWorkloadFacts, WorkloadPlan>({
  command: 'certs workload',
  changes: true,
  title: () => 'read the work directory',
  gather,
  plan,
  report,
  conclude: concludeRun,
});

function checkValidity(validityMs: number): void {
  if (validityMs > maxWorkloadMs) {
    throw new MeshError('USAGE', '--validity must be at most 90d, as in istiod', {
      hints: ['use a short validity, which limits the use of a stolen key (default: 24h)'],
    });
  }
  if (validityMs < minWorkloadMs) throw new MeshError('USAGE', '--validity must be at least 1m');
}

async function gather(deps: Deps, request: IssueWorkloadRequest): Promise<IssueWorkloadFacts> {
  checkValidity(request.validityMs);
  const {workspace} = deps;
  const now = deps.now();
  const loaded = await loadMesh(deps, {clusters: [request.cluster]});
  const [cluster] = loaded.clusters;
  if (!cluster) throw new MeshError('INTERNAL', 'no cluster was selected');
  const {name} = cluster;
  const {workload} = request;
  const {trustDomain} = loaded.mesh;
  const files = await readCaFiles(workspace, name);
  const inspection = inspectCaFiles(files, {now, trustDomain, keyMayBeMissing: true});
  const paths = workloadLayout(name, workload.namespace, workload.serviceAccount);
  const spiffeId = spiffeIdOf(trustDomain, workload);
  const [key, certChain, rootCert] = await Promise.all([
    workspace.readSecret(paths.key),
    workspace.readText(paths.certChain),
    workspace.readText(paths.rootCert),
  ]);
  const roots = inspection.roots ?? [];
  const state = workloadStateOf({key, certChain, rootCert}, {spiffeId, roots, now});
  const mesh = await guardKeys(deps, loaded, [paths.key]);
  return {...mesh, request, cluster, paths, spiffeId, files, inspection, state, now};
}

function plan(facts: IssueWorkloadFacts): WorkloadPlan {
  const {request, cluster, loaded, state, spiffeId, files, git} = facts;
  // A valid certificate needs no plan at all.
  if (state.kind === 'valid' && !request.renew) return emptyPlan;
  const {name} = cluster;
  const error = cannotSign(facts) ?? cannotReplace(facts) ?? gitBlockers(git)[0]?.error;
  if (error) return blockedPlan(error, [], name);
  const {workload, algorithm, validityMs} = request;
  const action: IssueWorkload = defined({
    kind: 'issue-workload',
    id: `${name}/workload/${workload.namespace}/${workload.serviceAccount}`,
    cluster: name,
    caFiles: files,
    title: `${state.kind === 'absent' ? 'issue' : 'renew'} the certificate of ${spiffeId} (${algorithm})`,
    confirm: confirmationOf(facts),
    ...workload,
    trustDomain: loaded.mesh.trustDomain,
    algorithm,
    validityMs,
  });
  return {
    action,
    ...guardedPlan(facts, {groups: groupOf([action]), warnings: validityWarnings(facts)}),
  };
}

/** Why the cluster's CA cannot sign here, with the alternatives. */
function cannotSign({cluster: {name}, loaded, files, inspection}: IssueWorkloadFacts): ErrorReport | undefined {
  const {signer, keepClusterKeys} = loaded.mesh.trust;
  const paths = clusterLayout(name);
  if (!usesCacerts(signer)) {
    return problem(
      'SIGNED_ELSEWHERE',
      "this mesh's workload certificates come from an external issuer (trust.signer: external)",
      'request one from that issuer: istio-csr, SPIRE or the Kubernetes signer',
    );
  }
  if (files.caCert === undefined) {
    const what = `${paths.caCert} not found: ${name} has no CA here`;
    return problem('FILE_MISSING', what, advice`create one with: ${kubectlMesh('certs generate', [name])}`);
  }
  if (files.caKey === undefined) {
    const why = keepClusterKeys
      ? 'the key is stored elsewhere'
      : 'it was removed after the push (trust.keepClusterKeys is false)';
    return problem(
      'FILE_MISSING',
      `${paths.caKey} not found: ${why}, and signing requires it`,
      `run this where ${paths.caKey} is stored`,
      advice`or let istiod sign: Istio's agent on the machine authenticates with a token (${fixWith.istioctl('any', words`x workload entry configure`)})`,
      advice`or create a new CA, sign with it, and push it: ${kubectlMesh('certs generate', words`${name} --renew`)}`,
    );
  }
  const [first, ...others] = inspection.findings.filter(({severity}) => severity === 'error');
  if (!first) return undefined;
  const hints = others.map(({message}) => message);
  return problem('CA_FILES_INVALID', `the CA of ${name} cannot sign: ${first.message}`, ...hints);
}

function cannotReplace({request, state, paths: {directory}}: IssueWorkloadFacts): ErrorReport | undefined {
  if (state.kind !== 'conflict' || request.renew) return undefined;
  const what = `${directory} contains other files: ${state.reason}`;
  return problem('WORKDIR_CONFLICT', what, 'replace them with --renew, or move them away');
}

/** The confirmation text; undefined if nothing is replaced. */
function confirmationOf({state, paths: {directory}}: IssueWorkloadFacts): string | undefined {
  if (state.kind === 'valid') {
    return `replace the key and certificate in ${directory}/ (valid until ${formatMinute(state.certificate.notAfter)})`;
  }
  return state.kind === 'conflict' ? `replace the contents of ${directory}/ (${state.reason})` : undefined;
}

function validityWarnings({
  now,
  request,
  inspection: {verified},
  cluster: {name},
}: IssueWorkloadFacts): readonly Warning[] {
  if (!verified || 'failure' in verified) return [];
  const end = workloadEnd(now, request.validityMs, verified.chain);
  if (end >= workloadEnd(now, request.validityMs, [])) return [];
  const message = `the certificate expires with its CA, on ${formatMinute(end)}: renew the CA of ${name} first`;
  return [{cluster: name, message}];
}

function report(run: PhaseRun<IssueWorkloadFacts, WorkloadPlan>): WorkloadResult {
  const {facts, plan: planned} = run;
  const {cluster, spiffeId, state} = facts;
  const {key, certChain, rootCert} = facts.paths;
  const {action} = planned;
  const existing = state.kind === 'valid' ? certificateRef(state.certificate) : undefined;
  const certificate = outcomeOf(run, action)?.result ?? existing;
  return defined({
    ...caRunResult(run, [cluster], (result) => result),
    spiffeId,
    files: {key, certChain, rootCert},
    action: action?.title,
    certificate: certificate && {
      fingerprint: certificate.fingerprint,
      key: certificate.key,
      notAfter: certificate.notAfter,
    },
  });
}

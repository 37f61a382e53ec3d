/** `certs workload`: a certificate for a workload outside of Kubernetes, as the cluster's istiod would give it. */
import {formatMinute} from '../../domain/format.js';
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem} from '../../domain/errors.js';
import {clusterLayout, type WorkloadLayout, workloadLayout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {usesCacerts} from '../../domain/mesh/signer.js';
import {spiffeIdOf, type WorkloadName} from '../../domain/mesh/workload-name.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {certificateInShort, type CertificateInShort} from '../../domain/x509/describe.js';
import {type CaInspection, inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {
  judgeWorkload,
  longestWorkloadMs,
  shortestWorkloadMs,
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

/** What `certs workload` is asked for. */
export interface WorkloadRequest {
  readonly cluster: string;
  readonly workload: WorkloadName;
  readonly algorithm: KeyAlgorithm;
  /** Milliseconds. */
  readonly validityMs: number;
  /** Replace what is there, valid or not. */
  readonly renew: boolean;
}

/** What `certs workload` answers. */
export interface WorkloadResult extends CaRunResult {
  readonly spiffeId: string;
  /** The three files, relative to the work directory. */
  readonly files: {readonly key: string; readonly certChain: string; readonly rootCert: string};
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  /** The certificate that is there after the run. */
  readonly certificate?: Omit<CertificateInShort, 'subject'>;
}

interface WorkloadFacts extends GuardedMesh {
  readonly request: WorkloadRequest;
  readonly cluster: MeshCluster;
  readonly paths: WorkloadLayout;
  readonly spiffeId: string;
  readonly files: CaFiles;
  readonly inspection: CaInspection;
  readonly state: WorkloadState;
  readonly now: Date;
}

/** A plan, with the action that issues the certificate where one is to be issued. */
interface WorkloadPlan extends Plan {
  readonly action?: IssueWorkload;
}

/** Makes a workload's key and certificate with the cluster's CA key. */
export const issueWorkload = onePhase<WorkloadRequest, WorkloadResult, WorkloadFacts, WorkloadPlan>({
  command: 'certs workload',
  changes: true,
  title: () => 'read the work directory',
  gather,
  plan,
  report,
  conclude: concludeRun,
});

function requireValidity(validityMs: number): void {
  if (validityMs > longestWorkloadMs) {
    const what = 'istiod issues no workload certificate for longer than 90 days (2160h), and neither is one made here';
    throw new MeshError('USAGE', what, {
      hints: ['A short life is what protects a workload key: 24h unless --validity says otherwise'],
    });
  }
  if (validityMs < shortestWorkloadMs) throw new MeshError('USAGE', '--validity must be at least 1m');
}

async function gather(deps: Deps, request: WorkloadRequest): Promise<WorkloadFacts> {
  requireValidity(request.validityMs);
  const {workspace} = deps;
  const now = deps.now();
  const loaded = await loadMesh(deps, {clusters: [request.cluster]});
  const [cluster] = loaded.clusters;
  if (!cluster) throw new MeshError('INTERNAL', 'a cluster was named, and none was loaded');
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
  const state = judgeWorkload({key, certChain, rootCert}, {spiffeId, roots, now});
  const mesh = await guardKeys(deps, loaded, [paths.key]);
  return {...mesh, request, cluster, paths, spiffeId, files, inspection, state, now};
}

function plan(facts: WorkloadFacts): WorkloadPlan {
  const {request, cluster, loaded, state, spiffeId, files, git} = facts;
  // Of a valid certificate nothing is planned at all.
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
    confirm: loss(facts),
    ...workload,
    trustDomain: loaded.mesh.trustDomain,
    algorithm,
    validityMs,
  });
  return {
    action,
    ...guardedPlan(facts, {groups: groupOf([action]), warnings: shortened(facts)}),
  };
}

/** Why the cluster's CA cannot sign here, and what else there is. */
function cannotSign({cluster: {name}, loaded, files, inspection}: WorkloadFacts): ErrorReport | undefined {
  const {signer, keepClusterKeys} = loaded.mesh.trust;
  const paths = clusterLayout(name);
  if (!usesCacerts(signer)) {
    return problem(
      'SIGNED_ELSEWHERE',
      "this mesh's workload certificates come from elsewhere (trust.signer: external)",
      'Ask whoever issues them for one: istio-csr, SPIRE or the Kubernetes signer',
    );
  }
  if (files.caCert === undefined) {
    const what = `there is no ${paths.caCert}: ${name} has no CA here that could sign`;
    return problem('FILE_MISSING', what, advice`Make one with ${kubectlMesh('certs generate', [name])}`);
  }
  if (files.caKey === undefined) {
    const why = keepClusterKeys
      ? 'the key is kept elsewhere'
      : 'trust.keepClusterKeys is false, so the key was removed once the cluster held it';
    return problem(
      'FILE_MISSING',
      `there is no ${paths.caKey}: ${why}, and nothing can be signed without it`,
      `Run this where ${paths.caKey} is kept`,
      advice`Or let istiod sign: Istio's agent on the machine asks it with a token (${fixWith.istioctl('any', words`x workload entry configure`)})`,
      advice`Or make a new CA, sign, and push it: ${kubectlMesh('certs generate', words`${name} --renew`)}`,
    );
  }
  const [first, ...others] = inspection.findings.filter(({severity}) => severity === 'error');
  if (!first) return undefined;
  const hints = others.map(({message}) => message);
  return problem('CA_FILES_INVALID', `the CA of ${name} cannot sign: ${first.message}`, ...hints);
}

function cannotReplace({request, state, paths: {directory}}: WorkloadFacts): ErrorReport | undefined {
  if (state.kind !== 'conflict' || request.renew) return undefined;
  const what = `${directory} holds something else: ${state.reason}`;
  return problem('WORKDIR_CONFLICT', what, 'Replace it with --renew, or move it away');
}

/** What is lost, where that is to be agreed to. */
function loss({state, paths: {directory}}: WorkloadFacts): string | undefined {
  if (state.kind === 'valid') {
    return `replace the key and certificate in ${directory}/ (valid until ${formatMinute(state.certificate.notAfter)})`;
  }
  return state.kind === 'conflict' ? `replace what is in ${directory}/ (${state.reason})` : undefined;
}

function shortened({now, request, inspection: {verified}, cluster: {name}}: WorkloadFacts): readonly Warning[] {
  if (!verified || 'failure' in verified) return [];
  const end = workloadEnd(now, request.validityMs, verified.chain);
  if (end >= workloadEnd(now, request.validityMs, [])) return [];
  const message = `the certificate ends with the CA above it, on ${formatMinute(end)}: renew the CA of ${name} first`;
  return [{cluster: name, message}];
}

function report(run: PhaseRun<WorkloadFacts, WorkloadPlan>): WorkloadResult {
  const {facts, plan: planned} = run;
  const {cluster, spiffeId, state} = facts;
  const {key, certChain, rootCert} = facts.paths;
  const {action} = planned;
  const there = state.kind === 'valid' ? certificateInShort(state.certificate) : undefined;
  const certificate = outcomeOf(run, action)?.result ?? there;
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

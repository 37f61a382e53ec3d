/** `certs workload`: a certificate for a workload outside of Kubernetes, as the cluster's istiod would give it. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
import {clusterLayout, type WorkloadLayout, workloadLayout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {usesCacerts} from '../../domain/mesh/signer.js';
import {spiffeIdOf, type WorkloadName} from '../../domain/mesh/workload-name.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {type CaInspection, inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {
  judgeWorkload,
  longestWorkloadMs,
  shortestWorkloadMs,
  workloadEnd,
  type WorkloadState,
} from '../../domain/ca/workload-certificate.js';
import {advice} from '../../domain/suggest/advice.js';
import {fixWith, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {IssueWorkload} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase, type PhaseRun, type Plan, type Warning} from '../../engine/operation.js';
import {asWarnings, blockedPlan, groupOf} from '../../engine/plan.js';
import {
  type ClusterResult,
  clusterOutcomes,
  type CommonResult,
  concludeRun,
  generalPart,
  outcomeOf,
} from '../../engine/report.js';
import {type GitExposure, guardKeys, keyInGit, unknownToGit} from '../shared/exposed-keys.js';
import {declareGroups, type LoadedMesh, loadMesh} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';

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
export interface WorkloadResult extends CommonResult {
  readonly clusters: readonly ClusterResult[];
  readonly spiffeId: string;
  /** The three files, relative to the work directory. */
  readonly files: {readonly key: string; readonly certChain: string; readonly rootCert: string};
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  /** The certificate that is there after the run. */
  readonly certificate?: {readonly fingerprint: string; readonly key: string; readonly notAfter: string};
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

interface WorkloadFacts {
  readonly request: WorkloadRequest;
  readonly loaded: LoadedMesh;
  readonly cluster: MeshCluster;
  readonly files: CaFiles;
  readonly inspection: CaInspection;
  readonly state: WorkloadState;
  readonly git: GitExposure;
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
    throw new MeshError(
      'USAGE',
      'istiod issues no workload certificate for longer than 90 days (2160h), and neither is one made here',
      {
        hints: ['A short life is what protects a workload key: 24h unless --validity says otherwise'],
      },
    );
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
  const {trustDomain} = loaded.mesh;
  const files = await readCaFiles(workspace, cluster.name);
  const inspection = inspectCaFiles(files, {now, trustDomain, keyMayBeMissing: true});
  const paths = pathsOf(request, cluster.name);
  const [key, certChain, rootCert] = await Promise.all([
    workspace.readSecret(paths.key),
    workspace.readText(paths.certChain),
    workspace.readText(paths.rootCert),
  ]);
  const expected = {spiffeId: spiffeIdOf(trustDomain, request.workload), roots: inspection.roots ?? [], now};
  const state = judgeWorkload({key, certChain, rootCert}, expected);
  return {request, cluster, files, inspection, state, now, ...(await guardKeys(deps, loaded, [paths.key]))};
}

function pathsOf({workload}: WorkloadRequest, cluster: string): WorkloadLayout {
  return workloadLayout(cluster, workload.namespace, workload.serviceAccount);
}

function plan(facts: WorkloadFacts): WorkloadPlan {
  const {request, cluster, loaded, state, git, inspection} = facts;
  const {trustDomain} = loaded.mesh;
  // Nothing is declared either.
  if (state.kind === 'valid' && !request.renew) return emptyPlan;
  const {name} = cluster;
  const paths = pathsOf(request, name);
  const spiffeId = spiffeIdOf(trustDomain, request.workload);
  const error =
    cannotSign(facts) ?? cannotReplace(facts, paths) ?? (git.exposed.length > 0 ? keyInGit(git.exposed) : undefined);
  if (error) return blockedPlan(reportError(error), [], name);
  const confirm = loss(state, paths);
  const action: IssueWorkload = defined({
    kind: 'issue-workload',
    id: `${name}/workload/${request.workload.namespace}/${request.workload.serviceAccount}`,
    cluster: name,
    title: `${state.kind === 'absent' ? 'issue' : 'renew'} the certificate of ${spiffeId} (${request.algorithm})`,
    confirm,
    ...request.workload,
    trustDomain,
    algorithm: request.algorithm,
    validityMs: request.validityMs,
  });
  return {
    action,
    groups: [...declareGroups(loaded), ...groupOf('workload certificate', [action])],
    blockers: [],
    warnings: [
      ...asWarnings(loaded.notes),
      ...unknownToGit(git),
      ...shortened(facts.now, request.validityMs, inspection, name),
    ],
  };
}

/** Why the cluster's CA cannot sign here, and what else there is. */
function cannotSign({cluster: {name}, loaded, files, inspection}: WorkloadFacts): MeshError | undefined {
  const {signer, keepClusterKeys} = loaded.mesh.trust;
  const paths = clusterLayout(name);
  if (!usesCacerts(signer)) {
    return new MeshError(
      'SIGNED_ELSEWHERE',
      "this mesh's workload certificates come from elsewhere (trust.signer: external)",
      {
        hints: ['Ask whoever issues them for one: istio-csr, SPIRE or the Kubernetes signer'],
      },
    );
  }
  if (files.caCert === undefined) {
    return new MeshError('FILE_MISSING', `there is no ${paths.caCert}: ${name} has no CA here that could sign`, {
      hints: [advice`Make one with ${kubectlMesh('certs generate', [name])}`],
    });
  }
  if (files.caKey === undefined) {
    const why = keepClusterKeys
      ? 'the key is kept elsewhere'
      : 'trust.keepClusterKeys is false, so the key was removed once the cluster held it';
    return new MeshError('FILE_MISSING', `there is no ${paths.caKey}: ${why}, and nothing can be signed without it`, {
      hints: [
        `Run this where ${paths.caKey} is kept`,
        advice`Or let istiod sign: Istio's agent on the machine asks it with a token (${fixWith.istioctl('any', words`x workload entry configure`)})`,
        advice`Or make a new CA, sign, and push it: ${kubectlMesh('certs generate', words`${name} --renew`)}`,
      ],
    });
  }
  const [first, ...others] = inspection.findings.filter(({severity}) => severity === 'error');
  if (!first) return undefined;
  return new MeshError('CA_FILES_INVALID', `the CA of ${name} cannot sign: ${first.message}`, {
    hints: others.map(({message}) => message),
  });
}

function cannotReplace({request, state}: WorkloadFacts, paths: WorkloadLayout): MeshError | undefined {
  if (state.kind !== 'conflict' || request.renew) return undefined;
  return new MeshError('WORKDIR_CONFLICT', `${paths.directory} holds something else: ${state.reason}`, {
    hints: ['Replace it with --renew, or move it away'],
  });
}

/** What is lost, where that is to be agreed to. */
function loss(state: WorkloadState, {directory}: WorkloadLayout): string | undefined {
  if (state.kind === 'valid') {
    return `replace the key and certificate in ${directory}/ (valid until ${state.certificate.notAfter.toISOString()})`;
  }
  return state.kind === 'conflict' ? `replace what is in ${directory}/ (${state.reason})` : undefined;
}

function shortened(now: Date, validityMs: number, {verified}: CaInspection, name: string): readonly Warning[] {
  if (!verified || 'failure' in verified) return [];
  const end = workloadEnd(now, validityMs, verified.chain);
  if (end >= workloadEnd(now, validityMs, [])) return [];
  return [
    {
      cluster: name,
      message: `the certificate ends with the CA above it, on ${end.toISOString()}: renew the CA of ${name} first`,
    },
  ];
}

function report(run: PhaseRun<WorkloadFacts, WorkloadPlan>): WorkloadResult {
  const {request, cluster, loaded, state} = run.facts;
  const {key, certChain, rootCert} = pathsOf(request, cluster.name);
  const {action} = run.plan;
  const issued = outcomeOf(run, action)?.result;
  const certificate = issued
    ? {fingerprint: issued.fingerprint, key: issued.key, notAfter: issued.notAfter}
    : state.kind === 'valid'
      ? summaryOf(state.certificate)
      : undefined;
  return defined({
    clusters: clusterOutcomes([cluster.name], run),
    spiffeId: spiffeIdOf(loaded.mesh.trustDomain, request.workload),
    files: {key, certChain, rootCert},
    action: action?.title,
    certificate,
    ...generalPart(run),
  });
}

function summaryOf({fingerprint, key, notAfter}: Certificate): NonNullable<WorkloadResult['certificate']> {
  return {fingerprint, key: key.name, notAfter: notAfter.toISOString()};
}

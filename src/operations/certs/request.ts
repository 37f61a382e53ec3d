/** `certs request`: creates a key and a certificate request for each cluster, to be signed by an external CA. */
import {defined} from '../../domain/defined.js';
import {problem} from '../../domain/errors.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {type CertificateRef, certificateRef} from '../../domain/x509/describe.js';
import {requestStateOf, type RequestState} from '../../domain/ca/request-state.js';
import {type ClusterState, rootStateOf} from '../../domain/ca/workdir-state.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {RequestClusterCa} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, groupOf, type Operation, type PhaseRun, type Plan} from '../../engine/operation.js';
import {type ClusterResult, concludeRun} from '../../engine/report.js';
import {type LoadedMesh, loadMesh} from '../shared/load-mesh.js';
import {judgeClusters} from '../shared/judge-clusters.js';
import {createCaFileReader} from '../../observe/ca-files.js';
import {
  caOf,
  caRunResult,
  type CaRunResult,
  guardedPlan,
  type GuardedMesh,
  csrSigner,
  type Decision,
  guardKeys,
  noticesOf,
} from './ca-run.js';

/** The request of `certs request`. */
export interface CsrRequest {
  readonly clusters: readonly string[];
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  /** Create a new key and request even if they exist. */
  readonly renew: boolean;
}

/** A request that has not been signed yet. */
export interface PendingRequest {
  /** Relative to the work directory. */
  readonly file: string;
  readonly subject: string;
  /** `rsa-4096`, `ecdsa-p256`, …. */
  readonly key: string;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hexadecimal digits. */
  readonly publicKey: string;
  /** The request itself, as PEM. */
  readonly csr: string;
}

/** One cluster after the run. */
export interface RequestClusterResult extends ClusterResult {
  /** What was (in a dry run: would be) done; absent when nothing had to change. */
  readonly action?: string;
  /** The request to send to the CA. Absent if none is pending, and in a dry run that would create one. */
  readonly request?: PendingRequest;
  /** The current CA of the cluster. */
  readonly certificate?: CertificateRef;
}

/** The result of `certs request`. */
export type CsrResult = CaRunResult<RequestClusterResult>;

interface RequestClusterFacts {
  readonly name: string;
  readonly request: RequestState;
  readonly ca: ClusterState;
}

interface RequestFacts extends GuardedMesh {
  /** With the decision for each, which also determines the keys that git is checked for. */
  readonly clusters: readonly (RequestClusterFacts & Decision<RequestClusterCa>)[];
}

/** `certs request`: creates what is missing; keeps a request whose key exists. */
export const requestCerts: Operation<CsrRequest, CsrResult> = {
  command: 'certs request',
  changes: true,
  async execute(request, engine) {
    const run = await engine.run<RequestFacts>({
      title: 'read the work directory',
      gather: (deps) => gather(request, deps),
      plan,
    });
    const after = await engine.run({
      title: 'read the requests',
      gather: (deps) => readRequests(deps, run.facts.loaded),
      plan: () => emptyPlan,
    });
    return report(run, after.facts);
  },
  conclude: concludeRun,
};

async function gather(request: CsrRequest, deps: Deps): Promise<RequestFacts> {
  const signer = await csrSigner(deps, 'certs request');
  const loaded = await loadMesh(deps, {clusters: request.clusters, keyAlgorithm: request.keyAlgorithm, signer});
  const reader = createCaFileReader(deps.workspace);
  const root = rootStateOf({...(await reader.root()), key: undefined});
  const states = await judgeClusters(loaded, reader, root, deps.now());
  const requests = await readRequests(deps, loaded);
  const clusters = states.map(({name, state}) => {
    const facts: RequestClusterFacts = {name, ca: state, request: requests.get(name) ?? {kind: 'absent'}};
    return {...facts, ...decide(facts, request, loaded.mesh.trust.keyAlgorithm)};
  });
  const keys = clusters.flatMap(({name, action}) => (action ? [clusterLayout(name).requestKey] : []));
  return {...(await guardKeys(deps, loaded, keys)), clusters};
}

async function readRequests(
  {workspace}: Deps,
  {mesh, clusters}: LoadedMesh,
): Promise<ReadonlyMap<string, RequestState>> {
  const read = async ({name}: MeshCluster): Promise<readonly [string, RequestState]> => {
    const {requestKey, requestCsr} = clusterLayout(name);
    const [key, csr] = await Promise.all([workspace.readSecret(requestKey), workspace.readText(requestCsr)]);
    return [name, requestStateOf(name, {key, csr}, mesh.clusters)];
  };
  return new Map(await Promise.all(clusters.map(read)));
}

function plan(facts: RequestFacts): Plan {
  const actions = facts.clusters.flatMap(({action}) => action ?? []);
  return guardedPlan(facts, {groups: groupOf(actions), ...noticesOf(facts.clusters)});
}

/** Whether the pending request has its certificate already: an import was killed before it removed the request. */
function isFulfilled({request, ca}: RequestClusterFacts): boolean {
  const current = ca.kind === 'valid' && !ca.keyMissing ? ca.inspection.certificate?.spki : undefined;
  const spki = request.kind === 'pending' ? request.request.spki : request.kind === 'key-only' ? request.key.spki : '';
  return current !== undefined && current === spki;
}

function decide(facts: RequestClusterFacts, options: CsrRequest, algorithm: KeyAlgorithm): Decision<RequestClusterCa> {
  const {name, request, ca} = facts;
  const {requestKey, requestCsr} = clusterLayout(name);
  const fulfilled = isFulfilled(facts);
  const base = {kind: 'request-cluster-ca', id: `${name}/request`, cluster: name, algorithm} as const;
  const create: RequestClusterCa = {...base, title: `create a key and a CSR (${algorithm})`, keepKey: false};
  if (options.renew) {
    const losesKey = request.kind === 'conflict' ? request.hasKey : ['pending', 'key-only'].includes(request.kind);
    if (!losesKey || fulfilled) return {action: create};
    const confirm = `replace ${requestKey}: a certificate issued for its request becomes unusable`;
    return {action: {...create, confirm}};
  }
  const warning = ca.kind === 'conflict' ? `the existing CA is unusable: ${ca.error.message}` : undefined;
  switch (request.kind) {
    case 'absent':
      return defined({warning, action: ca.kind === 'valid' || ca.kind === 'completable' ? undefined : create});
    case 'key-only': {
      const title = `create the CSR for ${requestKey}`;
      return defined({warning, action: fulfilled ? undefined : {...base, title, keepKey: true}});
    }
    case 'pending': {
      const {name: current} = request.request.key;
      const differs = !fulfilled && options.keyAlgorithm !== undefined && current !== options.keyAlgorithm;
      const difference = `the existing request has a key of another algorithm (${current}); --renew creates a new one`;
      return defined({warning: warning ?? (differs ? difference : undefined)});
    }
    case 'request-only': {
      const error = problem(
        'WORKDIR_CONFLICT',
        `${requestCsr} exists, but its key ${requestKey} does not`,
        'run this in the work directory that created the request: it has the key',
        advice`or create a new key and request: ${kubectlMesh('certs request', words`${name} --renew`)}`,
      );
      return defined({warning, error});
    }
    case 'conflict':
      return defined({warning, error: request.error});
  }
}

function report(run: PhaseRun<RequestFacts>, requests: ReadonlyMap<string, RequestState>): CsrResult {
  return caRunResult(run, run.facts.clusters, (result, before) => {
    const state = requests.get(before.name);
    const isPending = state && !isFulfilled({...before, request: state});
    const ca = caOf(before.ca);
    return defined({
      ...result,
      action: before.action?.title,
      request: isPending ? pendingOf(before.name, state) : undefined,
      certificate: ca && certificateRef(ca),
    });
  });
}

function pendingOf(name: string, state: RequestState): PendingRequest | undefined {
  if (state.kind !== 'pending' && state.kind !== 'request-only') return undefined;
  const {csr, request} = state;
  const {subject, key, spki} = request;
  return {file: clusterLayout(name).requestCsr, subject: subject.text, key: key.name, publicKey: spki, csr};
}

/** `certs request`: a key and a certificate request for each cluster, for a CA elsewhere to sign. */
import {defined} from '../../domain/defined.js';
import {problem} from '../../domain/errors.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {type CertificateInShort, certificateInShort} from '../../domain/x509/describe.js';
import {requestStateOf, type RequestState} from '../../domain/ca/request-state.js';
import {type ClusterState, rootStateOf} from '../../domain/ca/workdir-state.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {RequestClusterCa} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, groupOf, type Operation, type PhaseRun, type Plan} from '../../engine/operation.js';
import {type ClusterResult, concludeRun} from '../../engine/report.js';
import {type LoadedMesh, loadMesh} from '../shared/load-mesh.js';
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
  judgeClusters,
  saidOf,
} from './ca-run.js';

/** What `certs request` is asked for. */
export interface CsrRequest {
  readonly clusters: readonly string[];
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  /** Make a new key and request, whatever is there. */
  readonly renew: boolean;
}

/** A request that waits for its answer. */
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
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  /** What is to be sent to the CA. Absent where nothing waits for an answer, and in dry runs of a new one. */
  readonly request?: PendingRequest;
  /** The CA that the cluster has already. */
  readonly certificate?: CertificateInShort;
}

/** What `certs request` answers. */
export type CsrResult = CaRunResult<RequestClusterResult>;

interface ClusterFacts {
  readonly name: string;
  readonly request: RequestState;
  readonly ca: ClusterState;
}

interface RequestFacts extends GuardedMesh {
  /** With what is to be made for each, on which the questions to git depend, too. */
  readonly clusters: readonly (ClusterFacts & Decision<RequestClusterCa>)[];
}

/** Makes what is missing; a request whose key is there is kept. */
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
    const facts: ClusterFacts = {name, ca: state, request: requests.get(name) ?? {kind: 'absent'}};
    return {...facts, ...decide(facts, request, loaded.mesh.trust.keyAlgorithm)};
  });
  const keys = clusters.flatMap(({name, action}) => (action ? [clusterLayout(name).requestKey] : []));
  return {...(await guardKeys(deps, loaded, keys)), clusters};
}

async function readRequests(
  {workspace}: Deps,
  {mesh, clusters}: LoadedMesh,
): Promise<ReadonlyMap<string, RequestState>> {
  const declared = mesh.clusters.map(({name}) => name);
  const read = async ({name}: MeshCluster): Promise<readonly [string, RequestState]> => {
    const {requestKey, requestCsr} = clusterLayout(name);
    const [key, csr] = await Promise.all([workspace.readSecret(requestKey), workspace.readText(requestCsr)]);
    return [name, requestStateOf(name, {key, csr}, declared)];
  };
  return new Map(await Promise.all(clusters.map(read)));
}

function plan(facts: RequestFacts): Plan {
  const actions = facts.clusters.flatMap(({action}) => action ?? []);
  return guardedPlan(facts, {groups: groupOf(actions), ...saidOf(facts.clusters)});
}

/** Whether what waits there has got its certificate: an import that was killed before it removed the request. */
function isAnswered({request, ca}: ClusterFacts): boolean {
  const has = ca.kind === 'valid' && !ca.keyMissing ? ca.inspection.certificate?.spki : undefined;
  const waits = request.kind === 'pending' ? request.request.spki : request.kind === 'key-only' ? request.key.spki : '';
  return has !== undefined && has === waits;
}

function decide(facts: ClusterFacts, asked: CsrRequest, algorithm: KeyAlgorithm): Decision<RequestClusterCa> {
  const {name, request, ca} = facts;
  const {requestKey, requestCsr} = clusterLayout(name);
  const answered = isAnswered(facts);
  const base = {kind: 'request-cluster-ca', id: `${name}/request`, cluster: name, algorithm} as const;
  const create: RequestClusterCa = {...base, title: `make a key and a request (${algorithm})`, keepKey: false};
  if (asked.renew) {
    const loses = request.kind === 'conflict' ? request.hasKey : ['pending', 'key-only'].includes(request.kind);
    if (!loses || answered) return {action: create};
    const confirm = `replace ${requestKey}: a certificate made for its request could not be used any more`;
    return {action: {...create, confirm}};
  }
  const warning = ca.kind === 'conflict' ? `the CA that is there cannot be used: ${ca.error.message}` : undefined;
  switch (request.kind) {
    case 'absent':
      return defined({warning, action: ca.kind === 'valid' || ca.kind === 'completable' ? undefined : create});
    case 'key-only': {
      const title = `make the request for ${requestKey}`;
      return defined({warning, action: answered ? undefined : {...base, title, keepKey: true}});
    }
    case 'pending': {
      const {name: has} = request.request.key;
      const isOther = !answered && asked.keyAlgorithm !== undefined && has !== asked.keyAlgorithm;
      const other = `the request that is there has a key of another kind (${has}); --renew makes a new one`;
      return defined({warning: warning ?? (isOther ? other : undefined)});
    }
    case 'request-only': {
      const error = problem(
        'WORKDIR_CONFLICT',
        `${requestCsr} is there, but its key, ${requestKey}, is not`,
        'Run this where the request was made: the key is there, and the answer is imported there',
        advice`Make a new key and request with: ${kubectlMesh('certs request', words`${name} --renew`)}`,
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
    const waits = state && !isAnswered({...before, request: state});
    const ca = caOf(before.ca);
    return defined({
      ...result,
      action: before.action?.title,
      request: waits ? pendingOf(before.name, state) : undefined,
      certificate: ca && certificateInShort(ca),
    });
  });
}

function pendingOf(name: string, state: RequestState): PendingRequest | undefined {
  if (state.kind !== 'pending' && state.kind !== 'request-only') return undefined;
  const {csr, request} = state;
  const {subject, key, spki} = request;
  return {file: clusterLayout(name).requestCsr, subject: subject.text, key: key.name, publicKey: spki, csr};
}

/** `certs import`: takes what a CA elsewhere returned for a cluster's request. */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {type Observed, observe} from '../../domain/observed.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {Refusal} from '../../domain/ca/signed-chain.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {changesFromRequest, lifetimeChanges} from '../../domain/ca/changes.js';
import {type CertificateInShort, certificateInShort} from '../../domain/x509/describe.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {readPrivateKey} from '../../domain/keys/private-key.js';
import {type PartContent, readPart, recognize} from '../../domain/x509/recognize.js';
import {requestStateOf} from '../../domain/ca/request-state.js';
import {distinctRoots} from '../../domain/ca/trust-store.js';
import {rootStateOf} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';
import type {Operation, PhaseRun} from '../../engine/operation.js';
import {type ClusterResult, concludeRun, plannedActions} from '../../engine/report.js';
import {loadMesh} from '../shared/load-mesh.js';
import {findRoots, readGivenRoot} from '../shared/mesh-roots.js';
import {createCaFileReader, readCaFiles} from '../../observe/ca-files.js';
import {caRunResult, type CaRunResult, guardKeys, csrSigner} from './ca-run.js';
import {type CandidateKey, type ImportFacts, type ImportPlan, planImport} from './plan-import.js';

/** What `certs import` is asked for. */
export interface ImportRequest {
  readonly cluster: string;
  /** Files as the CA returned them; `-` is standard input. */
  readonly files: readonly string[];
  /** `--root`: a file with the mesh's root. */
  readonly rootFile?: string | undefined;
}

/** The cluster after the run. */
export interface ImportClusterResult extends ClusterResult {
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  /** The chain that was taken: the cluster CA, what stands above it, the root last. */
  readonly chain?: readonly CertificateInShort[];
  /** What the CA made other than was asked for. */
  readonly changes?: readonly string[];
  /** Why it was refused: every reason, with an id. */
  readonly refusals?: readonly Refusal[];
}

/** What `certs import` answers. */
export type ImportResult = CaRunResult<ImportClusterResult>;

/** Writes nothing unless all of it is right. */
export const importCerts: Operation<ImportRequest, ImportResult> = {
  command: 'certs import',
  changes: true,
  async execute(request, engine) {
    // Standard input can be read only once, and a phase may look again.
    let handedIn: Promise<HandedIn> | undefined;
    const run = await engine.run<ImportFacts, ImportPlan>({
      title: 'read what the CA returned',
      gather: (deps) => gather(request, deps, () => (handedIn ??= readFiles(deps, request.files))),
      plan: planImport,
    });
    return report(run);
  },
  conclude: concludeRun,
};

interface HandedIn {
  readonly certificates: readonly Certificate[];
  readonly remarks: readonly string[];
}

async function gather(request: ImportRequest, deps: Deps, files: () => Promise<HandedIn>): Promise<ImportFacts> {
  const {workspace} = deps;
  const signer = await csrSigner(deps, 'certs import');
  const loaded = await loadMesh(deps, {clusters: [request.cluster], signer});
  const {certificates, remarks} = await files();
  const [cluster] = loaded.clusters;
  if (!cluster) throw new MeshError('INTERNAL', 'no cluster was selected');
  const paths = clusterLayout(cluster.name);
  const root = rootStateOf({...(await createCaFileReader(workspace).root()), key: undefined});
  const [requestKey, caKey, csr] = await Promise.all([
    readKey(deps, paths.requestKey),
    readKey(deps, paths.caKey),
    workspace.readText(paths.requestCsr),
  ]);
  const candidates = [requestKey ?? [], caKey ?? []].flat();
  const others = loaded.mesh.clusters.filter(({name}) => name !== cluster.name);
  const read = await Promise.all([cluster, ...others].map(({name}) => readNeighbour(deps, name)));
  return {
    ...(await guardKeys(deps, loaded, [paths.caKey])),
    cluster,
    keys: candidates.flatMap((one) => ('value' in one ? [one.value] : [])),
    unusableKeys: candidates.flatMap((one) => ('unknown' in one ? [one.unknown] : [])),
    certificates,
    remarks,
    root,
    existingRoots: root.kind === 'absent' ? await findRoots(deps) : [],
    givenRoot: request.rootFile === undefined ? undefined : await readGivenRoot(deps, request.rootFile, root),
    known: read.flatMap(({chain}) => chain),
    others: new Map(read.slice(1).flatMap(({name, keys}) => keys.map((key) => [key, name] as const))),
    files: await readCaFiles(workspace, cluster.name),
    requestThere: requestKey !== undefined || csr !== undefined,
    now: deps.now(),
  };
}

/** Reads every file. Throws `USAGE`, `FILE_MISSING`, `NOT_PEM`, and `NOT_A_CERTIFICATE` for a file without any certificate. */
async function readFiles({workspace}: Deps, paths: readonly string[]): Promise<HandedIn> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new MeshError('USAGE', 'standard input (-) can be read only once');
  const read = paths.map(async (path): Promise<HandedIn> => {
    const name = path === '-' ? 'standard input' : path;
    const contents = recognize(await workspace.readOutside(path), name).parts.map(readPart);
    const certificates = contents.flatMap((part) => part.certificates);
    const problems = contents.flatMap((part) => part.problems);
    const holdsKey = contents.some(({key}) => key !== undefined);
    if (certificates.length === 0) throw noCertificate(name, contents, holdsKey);
    const unused = `${name} holds a private key, which is not used and not copied: keys do not travel with answers`;
    return {
      certificates,
      remarks: [...(holdsKey ? [unused] : []), ...problems.map(({message}) => `passed over: ${message}`)],
    };
  });
  const all = await Promise.all(read);
  return {
    certificates: distinctRoots(all.flatMap((one) => one.certificates)),
    remarks: all.flatMap((one) => one.remarks),
  };
}

function noCertificate(name: string, contents: readonly PartContent[], holdsKey: boolean): MeshError {
  const [fault] = contents.flatMap(({problems}) => problems);
  const others = contents.flatMap((part) => part.others);
  if (fault) return new MeshError(fault.code, fault.message, {hints: fault.hints});
  if (others.some((one) => one.includes('CERTIFICATE REQUEST'))) {
    return new MeshError('NOT_A_CERTIFICATE', `${name}: holds a certificate request, not what a CA made of it`, {
      hints: ['hand it to the CA, and import what it returns'],
    });
  }
  const what = holdsKey ? 'a private key' : (others[0] ?? 'nothing');
  return new MeshError('NOT_A_CERTIFICATE', `${name}: holds ${what}, and no certificate`);
}

/** A key that can be used, or why it cannot; undefined where there is none. */
async function readKey({workspace}: Deps, path: string): Promise<Observed<CandidateKey> | undefined> {
  const pem = await workspace.readSecret(path);
  if (!pem) return undefined;
  return observe(() => {
    const {spki, refusal} = readPrivateKey(pem, path);
    if (spki !== undefined && refusal === undefined) return Promise.resolve({path, pem, spki});
    throw new MeshError('UNSUPPORTED_KEY', `${path}: ${refusal ?? 'the key cannot be used'}`);
  });
}

/** What a cluster's directory tells: whose keys there are, and which CAs stand above. Broken files tell nothing. */
async function readNeighbour(
  deps: Deps,
  name: string,
): Promise<{readonly name: string; readonly keys: readonly string[]; readonly chain: readonly Certificate[]}> {
  const {workspace} = deps;
  const csr = await workspace.readText(clusterLayout(name).requestCsr);
  const request = requestStateOf(name, {key: undefined, csr}, []);
  const {certificate, chain = []} = inspectCaFiles(await readCaFiles(workspace, name), {now: deps.now()});
  return {
    name,
    keys: [
      ...(request.kind === 'request-only' ? [request.request.spki] : []),
      ...(certificate ? [certificate.spki] : []),
    ],
    chain: chain.filter(({spki}) => spki !== certificate?.spki),
  };
}

function report(run: PhaseRun<ImportFacts, ImportPlan>): ImportResult {
  const {cluster, loaded} = run.facts;
  const {chain, refusals} = run.plan;
  const {name} = cluster;
  const days = loaded.mesh.trust.clusterValidityDays;
  const changes = chain?.[0] ? [...lifetimeChanges(chain[0], days), ...changesFromRequest(chain[0], name)] : [];
  return caRunResult(run, [cluster], (result) =>
    defined({
      ...result,
      action: plannedActions(run.plan).find((action) => action.cluster === name)?.title,
      chain: chain?.map(certificateInShort),
      changes: changes.length > 0 ? changes : undefined,
      refusals: refusals.length > 0 ? refusals : undefined,
    }),
  );
}

/** `certs import`: imports the certificates that an external CA returned for a cluster's request. */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {type Observed, observe} from '../../domain/observed.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {Refusal} from '../../domain/ca/signed-chain.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {changesFromRequest, lifetimeChanges} from '../../domain/ca/changes.js';
import {type CertificateRef, certificateRef} from '../../domain/x509/describe.js';
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
import {findClusterRoots} from '../../observe/root-files.js';
import {readRootFile} from '../shared/mesh-roots.js';
import {createCaFileReader, readCaFiles} from '../../observe/ca-files.js';
import {caRunResult, type CaRunResult, guardKeys, csrSigner} from './ca-run.js';
import {type CandidateKey, type ImportFacts, type ImportPlan, planImport} from './plan-import.js';

/** The request of `certs import`. */
export interface ImportRequest {
  readonly cluster: string;
  /** The files that the CA returned; `-` is standard input. */
  readonly files: readonly string[];
  /** `--root`: a file with the mesh's root. */
  readonly rootFile?: string | undefined;
}

/** The cluster after the run. */
export interface ImportClusterResult extends ClusterResult {
  /** What was (in a dry run: would be) done; absent when nothing had to change. */
  readonly action?: string;
  /** The imported chain: the cluster CA, its issuers, the root last. */
  readonly chain?: readonly CertificateRef[];
  /** Where the CA deviated from the request. */
  readonly changes?: readonly string[];
  /** Why the certificates were refused: every reason, with an id. */
  readonly refusals?: readonly Refusal[];
}

/** The result of `certs import`. */
export type ImportResult = CaRunResult<ImportClusterResult>;

/** `certs import`: writes nothing unless everything is valid. */
export const importCerts: Operation<ImportRequest, ImportResult> = {
  command: 'certs import',
  changes: true,
  async execute(request, engine) {
    // Standard input can be read only once, but a phase may gather again.
    let files: Promise<ReturnedFiles> | undefined;
    const run = await engine.run<ImportFacts, ImportPlan>({
      title: 'read the returned certificates',
      gather: (deps) => gather(request, deps, () => (files ??= readFiles(deps, request.files))),
      plan: planImport,
    });
    return report(run);
  },
  conclude: concludeRun,
};

interface ReturnedFiles {
  readonly certificates: readonly Certificate[];
  readonly remarks: readonly string[];
}

async function gather(request: ImportRequest, deps: Deps, files: () => Promise<ReturnedFiles>): Promise<ImportFacts> {
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
  const read = await Promise.all([cluster, ...others].map(({name}) => readClusterDirectory(deps, name)));
  return {
    ...(await guardKeys(deps, loaded, [paths.caKey])),
    cluster,
    keys: candidates.flatMap((one) => ('value' in one ? [one.value] : [])),
    unusableKeys: candidates.flatMap((one) => ('unknown' in one ? [one.unknown] : [])),
    certificates,
    remarks,
    root,
    existingRoots: root.kind === 'absent' ? await findClusterRoots(deps) : [],
    givenRoot: request.rootFile === undefined ? undefined : await readRootFile(deps, request.rootFile, root),
    known: read.flatMap(({chain}) => chain),
    others: new Map(read.slice(1).flatMap(({name, keys}) => keys.map((key) => [key, name] as const))),
    files: await readCaFiles(workspace, cluster.name),
    hasRequest: requestKey !== undefined || csr !== undefined,
    now: deps.now(),
  };
}

/**
 * Reads all files. Throws `USAGE`, `FILE_MISSING`, `NOT_PEM`, `NOT_A_CERTIFICATE` for a file without a certificate, and
 * `CERTIFICATE_REFUSED` if none is proven to be acceptable.
 */
async function readFiles({workspace}: Deps, paths: readonly string[]): Promise<ReturnedFiles> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new MeshError('USAGE', 'standard input (-) can be read only once');
  const read = paths.map(async (path): Promise<ReturnedFiles> => {
    const name = path === '-' ? 'standard input' : path;
    const contents = recognize(await workspace.readOutside(path), name).parts.map(readPart);
    const certificates = contents.flatMap((part) => part.certificates);
    const problems = contents.flatMap((part) => part.problems);
    const holdsKey = contents.some(({key}) => key !== undefined);
    if (certificates.length === 0) throw noCertificate(name, contents, holdsKey);
    const unused = `${name} contains a private key, which is not used or copied: a CA returns certificates only`;
    return {
      certificates,
      remarks: [...(holdsKey ? [unused] : []), ...problems.map(({message}) => `ignored: ${message}`)],
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
  if (fault) {
    const code = fault.code === 'NOT_PROVEN' ? 'CERTIFICATE_REFUSED' : fault.code;
    return new MeshError(code, fault.message, {hints: fault.hints});
  }
  if (others.some((one) => one.includes('CERTIFICATE REQUEST'))) {
    return new MeshError('NOT_A_CERTIFICATE', `${name} contains a certificate request, not a certificate`, {
      hints: ['send it to the CA, and import the certificates that the CA returns'],
    });
  }
  const found = [holdsKey ? 'a private key' : (others[0] ?? [])].flat();
  return new MeshError('NOT_A_CERTIFICATE', `${name} contains ${[...found, 'no certificate'].join(', but ')}`);
}

/** A usable key, or why it is unusable; undefined if the file does not exist. */
async function readKey({workspace}: Deps, path: string): Promise<Observed<CandidateKey> | undefined> {
  const pem = await workspace.readSecret(path);
  if (!pem) return undefined;
  return observe(() => {
    const {spki, refusal} = readPrivateKey(pem, path);
    if (spki !== undefined && refusal === undefined) return Promise.resolve({path, pem, spki});
    throw new MeshError('UNSUPPORTED_KEY', `${path}: ${refusal ?? 'the key is unusable'}`);
  });
}

/** The public keys in a cluster's directory, and the CAs above its CA. Invalid files are ignored. */
async function readClusterDirectory(
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
      chain: chain?.map(certificateRef),
      changes: changes.length > 0 ? changes : undefined,
      refusals: refusals.length > 0 ? refusals : undefined,
    }),
  );
}

/** Reads CA files of the work directory and of clusters. The domain checks them. */
import {type Mesh, meshNames} from '../domain/mesh/mesh.js';
import {clusterLayout, layout} from '../domain/mesh/layout.js';
import type {CaFiles} from '../domain/ca/ca-files.js';
import {canonicalFiles} from '../domain/ca/canonical.js';
import type {InspectOptions} from '../domain/ca/inspect-ca.js';
import {inspectFiles} from '../domain/ca/inspect-files.js';
import type {RootFiles} from '../domain/ca/workdir-state.js';
import {Sensitive} from '../domain/sensitive.js';
import type {FileContent, Workspace} from '../workspace/workspace.js';
import type {Deps} from '../engine/deps.js';
import type {DesiredCa} from '../domain/trust/diff.js';
import {isBeingDeleted, isIstiod} from '../domain/facts/read/control-plane.js';
import {asMounted, caSecretOf, caSourceOf, type IstiodCaSource} from '../domain/istio/ca-source.js';
import {cacertsName} from '../domain/istio/names.js';
import {readCacerts, type CacertsSecret} from '../domain/trust/cacerts.js';
import type {Reads} from './cluster-reader.js';

/** Reads CA files as they will be after `planned` files are written. */
export interface CaFileReader {
  /** One cluster's four files, and its revocation lists; a missing file is undefined. Throws `WORKDIR_UNREADABLE`. */
  cluster(name: string): Promise<CaFiles>;
  /** root-cert.pem and root-key.pem of the work directory; the key is usually encrypted. Throws `WORKDIR_UNREADABLE`. */
  root(): Promise<Pick<RootFiles, 'certificate' | 'key'>>;
}

/** Creates the reader. `planned`: files that this run writes first, such as those imported from a Makefile directory. */
export function createCaFileReader(workspace: Workspace, planned: readonly FileContent[] = []): CaFileReader {
  const contents = new Map(planned.map(({path, content}) => [path, content]));
  const text = async (path: string): Promise<string | undefined> => {
    const content = contents.get(path);
    return typeof content === 'string' ? content : workspace.readText(path);
  };
  const secret = async (path: string): Promise<Sensitive<string> | undefined> => {
    const content = contents.get(path);
    return content instanceof Sensitive ? content : workspace.readSecret(path);
  };
  return {
    async cluster(name) {
      const paths = clusterLayout(name);
      const [caCert, caKey, rootCert, certChain, crl] = await Promise.all([
        text(paths.caCert),
        secret(paths.caKey),
        text(paths.rootCert),
        text(paths.certChain),
        text(paths.caCrl),
      ]);
      return {caCert, caKey, rootCert, certChain, crl, layout: 'pem'};
    },
    async root() {
      const [certificate, key] = await Promise.all([text(layout.rootCert), secret(layout.rootKey)]);
      return {certificate, key};
    },
  };
}

/** One cluster's current CA files. Throws `WORKDIR_UNREADABLE`. */
export async function readCaFiles(workspace: Workspace, cluster: string): Promise<CaFiles> {
  return createCaFileReader(workspace).cluster(cluster);
}

/**
 * Reads and inspects a cluster's CA files, and returns them as they are sent to the cluster; a work directory need not
 * contain the key. Throws `WORKDIR_UNREADABLE`.
 */
export async function readWorkDirCa(
  {workspace, now}: Pick<Deps, 'workspace' | 'now'>,
  mesh: Mesh,
  cluster: string,
): Promise<DesiredCa> {
  const files = await readCaFiles(workspace, cluster);
  return {files: canonicalFiles(files), inspection: inspectFiles(files, inspectWithoutKey(mesh, now()))};
}

/** The options to inspect a mesh's CA files as a running istiod reads them. */
export function inspectOptions(mesh: Mesh, now: Date): InspectOptions {
  return {now, istioVersion: mesh.istio.version, ...meshNames(mesh)};
}

/** The same for files and Secrets whose key may be stored elsewhere. */
export function inspectWithoutKey(mesh: Mesh, now: Date): InspectOptions {
  return {...inspectOptions(mesh, now), keyMayBeMissing: true};
}

/** Reads a Secret with CA files. Throws what reading throws. */
export async function readCaSecret(
  reads: Pick<Reads, 'read'>,
  which: 'cacerts' | 'previous',
  options: InspectOptions,
): Promise<CacertsSecret | 'absent'> {
  const secret = await reads.read(which);
  return secret ? readCacerts(secret, options) : 'absent';
}

/** Where the istiods of a cluster read their CA. Throws what reading throws. */
export async function readCaSources(
  reads: Pick<Reads, 'read'>,
  row: 'deployments' | 'istiods' = 'deployments',
): Promise<readonly IstiodCaSource[]> {
  const deployments = await reads.read(row);
  return deployments.filter((one) => isIstiod(one) && !isBeingDeleted(one)).map(caSourceOf);
}

/**
 * Reads the CA that the istiods of a cluster mount: Secret cacerts, also where no istiod runs yet, or another Secret. `absent` if
 * there is none, or if they read their CA from something else. Throws what reading throws.
 */
export async function readMountedCa(
  reads: Pick<Reads, 'read'>,
  sources: readonly IstiodCaSource[],
  options: InspectOptions,
): Promise<CacertsSecret | 'absent'> {
  const mounted = caSecretOf(sources);
  if (!mounted) return 'absent';
  const {name, files} = mounted;
  const secret = name === cacertsName ? await reads.read('cacerts') : await reads.read('mountedCa', {name});
  return secret ? readCacerts(asMounted(secret, files), options) : 'absent';
}

/**
 * Reads istiod's self-signed root (Secret istio-ca-secret) as PEM; undefined: none. Returns only the certificate,
 * because the Secret's key is the root key.
 */
export async function readSelfSigned(reads: Pick<Reads, 'read'>): Promise<string | undefined> {
  const encoded = (await reads.read('selfSigned'))?.data?.['ca-cert.pem'] ?? '';
  return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

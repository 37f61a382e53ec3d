/** `certs inspect`: shows a certificate, chain, key or Secret in detail, and whether istiod would accept it. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type Mesh, meshNames} from '../../domain/mesh/mesh.js';
import {isClusterName} from '../../domain/mesh/names.js';
import {defaults} from '../../domain/mesh/resolve.js';
import {type Certificate, parseCertificates} from '../../domain/x509/certificate.js';
import {type CertificateDetails, detailCertificate, detailKey, type KeyDetails} from '../../domain/x509/describe.js';
import {isBelow, type IstiodVerdict, inspectFile, inspectSet} from '../../domain/ca/inspect-parts.js';
import {type FilePart, readPart, recognize, type RecognizedFile} from '../../domain/x509/recognize.js';
import {nearest} from '../../domain/nearest.js';
import {Sensitive} from '../../domain/sensitive.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase, type PhaseRun} from '../../engine/operation.js';
import {loadMesh} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';

/** The request of `certs inspect`. */
export interface InspectRequest {
  /** A cluster of the work directory, a file, or `-` for standard input. */
  readonly target: string;
  /** `--istio-version`; default: mesh.yaml, otherwise the newest known version. */
  readonly istioVersion?: string | undefined;
}

/** A certificate and where it was found. */
export interface InspectedCertificate extends CertificateDetails {
  /** File or data key. */
  readonly in: string;
  /** Whether it chains to this work directory's root; absent without root-cert.pem. */
  readonly ours?: boolean;
}

/** The public facts of a private key, and where it was found. */
export interface InspectedKey extends KeyDetails {
  readonly in: string;
  /** The subjects of the inspected certificates with this key. */
  readonly belongsTo: readonly string[];
}

/** The result of `certs inspect`. */
export interface InspectResult {
  readonly source: string;
  readonly kind: 'cluster' | RecognizedFile['kind'];
  readonly object?: NonNullable<RecognizedFile['object']>;
  readonly certificates: readonly InspectedCertificate[];
  readonly keys: readonly InspectedKey[];
  /** Other contents: name and type. */
  readonly others: readonly {readonly in: string; readonly what: string}[];
  readonly problems: readonly ErrorReport[];
  readonly notes: readonly string[];
  readonly istiod?: IstiodVerdict;
}

interface InspectFacts {
  readonly recognized: Omit<RecognizedFile, 'kind'> & {readonly kind: InspectResult['kind']};
  readonly roots: readonly Certificate[];
  readonly mesh: Mesh | undefined;
  readonly now: Date;
}

/** `certs inspect`: changes nothing and needs no passphrase. */
export const inspectCerts = onePhase<InspectRequest, InspectResult, InspectFacts>({
  command: 'certs inspect',
  changes: false,
  title: ({target}) => `read ${target}`,
  gather,
  plan: () => emptyPlan,
  report,
  conclude: ({problems}) => problems.map(({code}) => code),
});

async function gather(deps: Deps, {target}: InspectRequest): Promise<InspectFacts> {
  const {workspace} = deps;
  const [cluster, roots = [], mesh] = await Promise.all([
    readCluster(target, deps),
    // For `ours`.
    unlessInvalid(async () => {
      const text = await workspace.readText(layout.rootCert);
      return text === undefined ? [] : parseCertificates(text, layout.rootCert).certificates;
    }),
    // For the expiry thresholds and the Istio version.
    unlessInvalid(async () => (await loadMesh(deps, {clusters: []})).mesh),
  ]);
  const recognized = cluster ?? recognize(await readFileOf(target, deps, mesh), sourceName(target));
  return {recognized, roots, mesh, now: deps.now()};
}

/** Reads the file. Throws `FILE_MISSING` with the clusters that may have been meant. */
async function readFileOf(target: string, {workspace}: Deps, mesh: Mesh | undefined) {
  try {
    return await workspace.readOutside(target);
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'FILE_MISSING' || !isClusterName(target)) throw thrown;
    const names = (mesh?.clusters ?? []).map(({name}) => name);
    if (names.includes(target)) throw noCaError(target);
    const near = nearest(target, names);
    throw new MeshError('FILE_MISSING', `${target} is neither a cluster with a CA nor a file`, {
      hints: [
        ...(near === undefined ? [] : [advice`did you mean: ${kubectlMesh('certs inspect', [near])}`]),
        advice`to list the certificates: ${kubectlMesh('certs list')}`,
      ],
      cause: thrown,
    });
  }
}

/** Ignores invalid input: other files can be inspected even if the work directory is invalid. */
async function unlessInvalid<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class === 'invalid') return undefined;
    throw thrown;
  }
}

/** The verdict on a Secret without a CA (istio/istio pilot/pkg/bootstrap/istio_ca.go reads these keys). */
const noCaNote = 'istiod would not load a CA from this Secret: it has none of ca-cert.pem, tls.crt and ca-key.pem';

function sourceName(target: string): string {
  return target === '-' ? 'standard input' : target;
}

/** The four CA files, if the target is a cluster's directory in the work directory. */
async function readCluster(target: string, {workspace}: Deps): Promise<InspectFacts['recognized'] | undefined> {
  if (!isClusterName(target) || (await workspace.stat(target))?.kind !== 'directory') return undefined;
  const {caCert, caKey, rootCert, certChain} = await readCaFiles(workspace, target);
  const contents = {'ca-cert.pem': caCert, 'ca-key.pem': caKey, 'root-cert.pem': rootCert, 'cert-chain.pem': certChain};
  const parts = Object.entries(contents).flatMap(([name, content]): readonly FilePart[] => {
    if (content === undefined) return [];
    return [{name, content: typeof content === 'string' ? new Sensitive(content) : content}];
  });
  if (parts.length > 0) return {kind: 'cluster', parts};
  throw noCaError(target);
}

function noCaError(cluster: string): MeshError {
  const {caCert} = clusterLayout(cluster);
  return new MeshError('FILE_MISSING', `cluster "${cluster}" has no CA yet: ${caCert} not found`, {
    hints: [advice`create it with: ${kubectlMesh('certs generate', [cluster])}`],
  });
}

function report({facts}: PhaseRun<InspectFacts>, request: InspectRequest): InspectResult {
  const {recognized, roots, mesh, now} = facts;
  const {kind, object, parts} = recognized;
  const contents = parts.map(readPart);
  const all = contents.flatMap(({certificates}) => certificates);
  const thresholds = mesh?.trust.expiry ?? {warn: defaults.warn, error: defaults.error};
  const options = {
    now,
    istioVersion: request.istioVersion ?? mesh?.istio.version,
    ...(mesh && meshNames(mesh)),
    keyMayBeMissing: kind === 'cluster',
  };
  const [only] = contents;
  const istiod = kind === 'file' ? only && inspectFile(only, roots, options) : inspectSet(parts, options);
  return defined({
    source: sourceName(request.target),
    kind,
    object,
    certificates: contents.flatMap(({name, certificates}) =>
      certificates.map((certificate) =>
        defined({
          in: name,
          ours: roots.length > 0 ? isBelow(certificate, roots, all) : undefined,
          ...detailCertificate(certificate, thresholds, now),
        }),
      ),
    ),
    keys: contents.flatMap(({name, key}): readonly InspectedKey[] => {
      if (!key) return [];
      const belongsTo = all.filter(({spki}) => spki === key.spki).map(({subject}) => subject.text);
      return [{in: name, ...detailKey(key), belongsTo: [...new Set(belongsTo)]}];
    }),
    others: contents.flatMap(({name, others}) => others.map((what) => ({in: name, what}))),
    problems: contents.flatMap(({problems}) => problems),
    notes: [
      ...contents.flatMap(({name, notes}) => notes.map((note) => (contents.length === 1 ? note : `${name}: ${note}`))),
      ...(kind === 'secret' && !istiod ? [noCaNote] : []),
      ...(kind === 'configmap' && all.length === 0 ? ['the ConfigMap contains no certificates'] : []),
    ],
    istiod,
  });
}

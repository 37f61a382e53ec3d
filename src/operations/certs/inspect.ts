/** `certs inspect`: one certificate, chain, key or Secret in full, with what istiod would say of it. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type Mesh, meshNames} from '../../domain/mesh/mesh.js';
import {isClusterName} from '../../domain/mesh/names.js';
import {defaults} from '../../domain/mesh/resolve.js';
import {type Certificate, parseCertificates} from '../../domain/x509/certificate.js';
import {type CertificateDetails, detailCertificate, detailKey, type KeyDetails} from '../../domain/x509/describe.js';
import {isBelow, type IstiodVerdict, inspectFile, inspectSet} from '../../domain/ca/inspect-parts.js';
import {type Part, readPart, recognize, type Recognized} from '../../domain/x509/recognize.js';
import {Sensitive} from '../../domain/sensitive.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase, type PhaseRun} from '../../engine/operation.js';
import {loadMesh} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';

/** What `certs inspect` is asked for. */
export interface InspectRequest {
  /** A cluster of the work directory, a file, or `-` for standard input. */
  readonly target: string;
  /** `--istio-version`; else mesh.yaml's, else judged like the newest. */
  readonly istioVersion?: string | undefined;
}

/** A certificate and where it stands. */
export interface InspectedCertificate extends CertificateDetails {
  /** File or data key. */
  readonly in: string;
  /** Whether it belongs to this work directory's root; absent when there is no root-cert.pem to tell by. */
  readonly ours?: boolean;
}

/** A private key's public facts and where it stands. */
export interface InspectedKey extends KeyDetails {
  readonly in: string;
  /** Subjects of the inspected certificates that this is the key of. */
  readonly belongsTo: readonly string[];
}

/** What `certs inspect` answers. */
export interface InspectResult {
  readonly source: string;
  readonly kind: 'cluster' | Recognized['kind'];
  readonly object?: NonNullable<Recognized['object']>;
  readonly certificates: readonly InspectedCertificate[];
  readonly keys: readonly InspectedKey[];
  /** Other contents, by name and what they are. */
  readonly others: readonly {readonly in: string; readonly what: string}[];
  readonly problems: readonly ErrorReport[];
  readonly notes: readonly string[];
  readonly istiod?: IstiodVerdict;
}

interface Facts {
  readonly recognized: Omit<Recognized, 'kind'> & {readonly kind: InspectResult['kind']};
  readonly roots: readonly Certificate[];
  readonly mesh: Mesh | undefined;
  readonly now: Date;
}

/** Reads and explains; changes nothing, needs no passphrase. */
export const inspectCerts = onePhase<InspectRequest, InspectResult, Facts>({
  command: 'certs inspect',
  changes: false,
  title: ({target}) => `read ${target}`,
  gather,
  plan: () => emptyPlan,
  report,
  conclude: ({problems}) => problems.map(({code}) => code),
});

async function gather(deps: Deps, {target}: InspectRequest): Promise<Facts> {
  const {workspace} = deps;
  const [cluster, roots = [], mesh] = await Promise.all([
    readCluster(target, deps),
    // For "ours or not".
    unlessInvalid(async () => {
      const text = await workspace.readText(layout.rootCert);
      return text === undefined ? [] : parseCertificates(text, layout.rootCert).certificates;
    }),
    // For its thresholds and version.
    unlessInvalid(async () => (await loadMesh(deps, {clusters: []})).mesh),
  ]);
  const recognized = cluster ?? recognize(await workspace.readOutside(target), sourceName(target));
  return {recognized, roots, mesh, now: deps.now()};
}

/** An unusable work directory is no reason not to inspect other files. */
async function unlessInvalid<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class === 'invalid') return undefined;
    throw thrown;
  }
}

function sourceName(target: string): string {
  return target === '-' ? 'standard input' : target;
}

/** The four files, where the name is a cluster's folder of the work directory. */
async function readCluster(target: string, {workspace}: Deps): Promise<Facts['recognized'] | undefined> {
  if (!isClusterName(target) || (await workspace.stat(target))?.kind !== 'directory') return undefined;
  const {caCert, caKey, rootCert, certChain} = await readCaFiles(workspace, target);
  const contents = {'ca-cert.pem': caCert, 'ca-key.pem': caKey, 'root-cert.pem': rootCert, 'cert-chain.pem': certChain};
  const parts = Object.entries(contents).flatMap(([name, content]): readonly Part[] => {
    if (content === undefined) return [];
    return [{name, content: typeof content === 'string' ? new Sensitive(content) : content}];
  });
  if (parts.length > 0) return {kind: 'cluster', parts};
  throw new MeshError('FILE_MISSING', `${target} has no CA yet: there is no ${clusterLayout(target).caCert}`, {
    hints: [advice`${kubectlMesh('certs generate', [target])}`],
  });
}

function report({facts}: PhaseRun<Facts>, request: InspectRequest): InspectResult {
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
    notes: contents.flatMap(({name, notes}) =>
      notes.map((note) => (contents.length === 1 ? note : `${name}: ${note}`)),
    ),
    istiod,
  });
}

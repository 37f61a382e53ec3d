/** Fixtures for the tables of pushes: CAs, Secrets with them, and observed clusters. */
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import {type ErrorCode, MeshError} from '../../../src/domain/errors.js';
import {known, type Observed, unknown} from '../../../src/domain/observed.js';
import type {CaFiles} from '../../../src/domain/ca/ca-files.js';
import {inspectCaFiles, type InspectOptions} from '../../../src/domain/ca/inspect-ca.js';
import {type CacertsSecret, readCacerts} from '../../../src/domain/trust/cacerts.js';
import type {DesiredCa} from '../../../src/domain/trust/diff.js';
import type {TrustObservation} from '../../../src/domain/trust/cluster-trust.js';
import {type IstiodObservation, readIstiod} from '../../../src/domain/trust/istiod.js';
import {namespace, secret} from '../../helpers/fake-kubectl/fake-cluster.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {istiod, textsOf} from '../../helpers/trust-mesh.js';

const now = new Date('2026-06-01T00:00:00Z');
const options: InspectOptions = {now, istioVersion: '1.30', keyMayBeMissing: true};

/** A root, and that of another mesh. */
export const [root, otherRoot] = await Promise.all([
  tinyRoot({now, meshID: 'mesh1'}),
  tinyRoot({now, meshID: 'mesh2'}),
]);

/** A cluster CA with its root. */
export interface IssuedCa {
  readonly ca: TinyCa;
  readonly above: TinyCa;
}

/** Issues a new cluster CA. */
export async function issued(cluster: string, above = root): Promise<IssuedCa> {
  return {ca: await tinyClusterCa(above, cluster, {now}), above};
}

/** The live CA of cluster c1, its renewed CA in the work directory, and one under another root. */
export const [live, renewed, underOther] = await Promise.all([issued('c1'), issued('c1'), issued('c1', otherRoot)]);

/** Concatenates certificates as in a file. */
export function pemOf(...cas: readonly TinyCa[]): string {
  return cas.map(({certificate}) => certificate.pem).join('');
}

/** Returns the files of a cluster CA. */
export function filesOf({ca, above}: IssuedCa, change: CaFiles = {}): CaFiles {
  return {...bundleOf(ca, [above]), ...change};
}

/** Returns a cluster CA of the work directory. */
export function own(ca: IssuedCa, change?: CaFiles): DesiredCa {
  return ownOf(filesOf(ca, change));
}

/** Returns a cluster CA of the work directory with any files. */
export function ownOf(files: CaFiles): DesiredCa {
  return {files, inspection: inspectCaFiles(files, options)};
}

/** Returns the data of Secret cacerts with a cluster CA. */
export function secretTexts({ca, above}: IssuedCa): Record<string, string> {
  return textsOf(bundleOf(ca, [above]));
}

/** Returns the data of the same CA in the layout of kubernetes.io/tls. */
export function tlsTexts({ca, above}: IssuedCa): Record<string, string> {
  const {caCert, caKey, rootCert} = bundleOf(ca, [above]);
  return {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert};
}

/** The differences of a Secret from one that `kubectl create secret generic` creates. */
export interface SecretChange {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly ownerReferences?: readonly {readonly kind: string; readonly name: string; readonly uid: string}[];
}

/** Returns a Secret with CA files, as read. */
export function secretWith(texts: Record<string, string>, change: SecretChange = {}): CacertsSecret {
  const {type = 'Opaque', immutable = false, ...metadata} = change;
  const object = secret('istio-system/cacerts', texts, {type, immutable});
  return readCacerts(
    {...object, metadata: {...object.metadata, uid: 'uid-of-secret', resourceVersion: '7', ...metadata}},
    options,
  );
}

/** Returns an istiod Deployment, as read. */
export function observedIstiod(version = '1.30.1', env: Record<string, string> = {}, readyPods = 1): IstiodObservation {
  return readIstiod(istiod(version, env, readyPods) as unknown as DeploymentObject);
}

/** Returns a namespace with these labels, as read. */
export function observedNamespace(
  labels: Record<string, string> = {},
  deletionTimestamp?: string,
): TrustObservation['namespace'] {
  const object = namespace('istio-system', labels);
  return known({
    ...object,
    metadata: {...object.metadata, ...(deletionTimestamp !== undefined && {deletionTimestamp})},
  });
}

/** Returns an unknown fact. */
export function unknownFact(code: ErrorCode = 'FORBIDDEN'): Observed<never> {
  return unknown(new MeshError(code, 'a reason'));
}

/** Returns a cluster whose istiod runs with a pushed CA. */
export function runningWith(ca: IssuedCa, change: Partial<TrustObservation> = {}): TrustObservation {
  return {
    at: now,
    uid: known('uid-c1'),
    namespace: observedNamespace(),
    cacerts: known(secretWith(secretTexts(ca))),
    previous: known('absent'),
    liveBundle: known(pemOf(ca.above)),
    selfSigned: known(undefined),
    istiods: known([observedIstiod()]),
    ...change,
  };
}

/** Returns a cluster without Istio. */
export function emptyCluster(change: Partial<TrustObservation> = {}): TrustObservation {
  return {
    at: now,
    uid: known('uid-c1'),
    namespace: known('absent'),
    cacerts: known('absent'),
    previous: known('absent'),
    liveBundle: known(undefined),
    selfSigned: known(undefined),
    istiods: known([]),
    ...change,
  };
}

/** What the tables of pushes share: CAs of any shape, Secrets that hold them, and a cluster as it is seen. */
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import {type ErrorCode, MeshError} from '../../../src/domain/errors.js';
import {known, type Observed, unknown} from '../../../src/domain/observed.js';
import type {CaFiles} from '../../../src/domain/ca/ca-files.js';
import {inspectCaFiles, type InspectOptions} from '../../../src/domain/ca/inspect-ca.js';
import {type CacertsSecret, readCacerts} from '../../../src/domain/trust/cacerts.js';
import type {OwnCa} from '../../../src/domain/trust/diff.js';
import type {TrustObservation} from '../../../src/domain/trust/cluster-trust.js';
import {type IstiodObservation, readIstiod} from '../../../src/domain/trust/istiod.js';
import {namespace, secret} from '../../helpers/fake-kubectl/fake-cluster.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {istiod, textsOf} from '../../helpers/trust-mesh.js';

const now = new Date('2026-06-01T00:00:00Z');
const options: InspectOptions = {now, istioVersion: '1.30', keyMayBeMissing: true};

/** A root, and one of another mesh. */
export const [root, otherRoot] = await Promise.all([
  tinyRoot({now, meshID: 'mesh1'}),
  tinyRoot({now, meshID: 'mesh2'}),
]);

/** A cluster CA with the root that it is under. */
export interface IssuedCa {
  readonly ca: TinyCa;
  readonly above: TinyCa;
}

/** A new cluster CA. */
export async function issued(cluster: string, above = root): Promise<IssuedCa> {
  return {ca: await tinyClusterCa(above, cluster, {now}), above};
}

/** The CA that cluster c1 runs with, the one that the work directory has for it, and one under another root. */
export const [live, renewed, underOther] = await Promise.all([issued('c1'), issued('c1'), issued('c1', otherRoot)]);

/** Certificates one behind the other, as a file has them. */
export function pemOf(...cas: readonly TinyCa[]): string {
  return cas.map(({certificate}) => certificate.pem).join('');
}

/** The files of a cluster CA. */
export function filesOf({ca, above}: IssuedCa, change: CaFiles = {}): CaFiles {
  return {...bundleOf(ca, [above]), ...change};
}

/** What the work directory has. */
export function own(ca: IssuedCa, change?: CaFiles): OwnCa {
  return ownOf(filesOf(ca, change));
}

/** The same from files of any content. */
export function ownOf(files: CaFiles): OwnCa {
  return {files, inspection: inspectCaFiles(files, options)};
}

/** The texts of Secret cacerts with a cluster CA. */
export function secretTexts({ca, above}: IssuedCa): Record<string, string> {
  return textsOf(bundleOf(ca, [above]));
}

/** The texts of the same CA in the layout of kubernetes.io/tls. */
export function tlsTexts({ca, above}: IssuedCa): Record<string, string> {
  const {caCert, caKey, rootCert} = bundleOf(ca, [above]);
  return {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert};
}

/** What differs in a Secret from one that `kubectl create secret generic` makes. */
export interface SecretChange {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly ownerReferences?: readonly {readonly kind: string; readonly name: string; readonly uid: string}[];
}

/** A Secret with CA files, as it is read. */
export function secretWith(texts: Record<string, string>, change: SecretChange = {}): CacertsSecret {
  const {type = 'Opaque', immutable = false, ...metadata} = change;
  const object = secret('istio-system/cacerts', texts, {type, immutable});
  return readCacerts(
    {...object, metadata: {...object.metadata, uid: 'uid-of-secret', resourceVersion: '7', ...metadata}},
    options,
  );
}

/** An istiod Deployment, as it is read. */
export function istiodSeen(version = '1.30.1', env: Record<string, string> = {}, readyPods = 1): IstiodObservation {
  return readIstiod(istiod(version, env, readyPods) as unknown as DeploymentObject);
}

/** A namespace with these labels, as it is read. */
export function namespaceSeen(
  labels: Record<string, string> = {},
  deletionTimestamp?: string,
): TrustObservation['namespace'] {
  const object = namespace('istio-system', labels);
  return known({
    ...object,
    metadata: {...object.metadata, ...(deletionTimestamp !== undefined && {deletionTimestamp})},
  });
}

/** A fact that could not be told. */
export function untold(code: ErrorCode = 'FORBIDDEN'): Observed<never> {
  return unknown(new MeshError(code, 'a reason'));
}

/** A cluster whose istiod runs with a CA that was pushed to it. */
export function runningWith(ca: IssuedCa, change: Partial<TrustObservation> = {}): TrustObservation {
  return {
    uid: known('uid-c1'),
    namespace: namespaceSeen(),
    cacerts: known(secretWith(secretTexts(ca))),
    previous: known('absent'),
    liveBundle: known(pemOf(ca.above)),
    selfSigned: known(undefined),
    istiods: known([istiodSeen()]),
    ...change,
  };
}

/** A cluster with nothing of Istio in it. */
export function emptyCluster(change: Partial<TrustObservation> = {}): TrustObservation {
  return {
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

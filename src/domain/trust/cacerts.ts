/** Secret `cacerts`: what is in it, how istiod reads it, and how this program writes it. */
import {defined} from '../defined.js';
import {journalHeadAnnotation} from '../journal/head.js';
import type {KubeObject, SecretData} from '../kube/object.js';
import type {SecretObject} from '../kube/objects.js';
import {fieldManager} from '../kube/paths.js';
import {type CaBundle, type CaFiles, caFileNames, caFilesOfSecret} from '../ca/ca-files.js';
import {crlFileName} from '../x509/crl.js';
import {inspectCaFiles, type CaInspection, type InspectOptions} from '../ca/inspect-ca.js';
import {Sensitive} from '../sensitive.js';

const managedByLabel = 'app.kubernetes.io/managed-by';
const annotation = (name: string): string => `${fieldManager}/${name}`;

/** Annotations of a Secret that this program wrote: who wrote it, for which cluster, which root, which cluster CA. */
export const annotations = {
  writtenBy: annotation('written-by'),
  cluster: annotation('cluster'),
  roots: annotation('root-sha256'),
  clusterCa: annotation('cluster-ca-sha256'),
  subject: annotation('cluster-ca-subject'),
  notAfter: annotation('cluster-ca-not-after'),
  /** On what a rollback wrote: the cluster CA that it took out, so that a rollback that ended early is known as such. */
  rolledBackFrom: annotation('rolled-back-from-sha256'),
  /** The journal's entry of the write itself: put there by the effect, which alone knows it. */
  journalHead: journalHeadAnnotation,
} as const;

/** `kubectl apply` keeps a copy of the whole object there: a stale key in an annotation. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Annotations that are true of the content, or of the write, that was there only. */
const contentAnnotations: readonly string[] = [lastApplied, annotations.rolledBackFrom, annotations.journalHead];

/**
 * The keys that each layout is made of; whatever else stands in a Secret is foreign to it. Revocation lists never are,
 * though some istiods do not read them: they are compared and kept on their own.
 */
const layoutKeys: Readonly<Record<'pem' | 'tls', readonly string[]>> = {
  pem: [...Object.values(caFileNames), crlFileName],
  tls: ['tls.crt', 'tls.key', 'ca.crt', crlFileName],
};

/** A Secret with CA files, as it was found. */
export interface CacertsSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Everything in it, by key. */
  readonly data: SecretData;
  /** What istiod reads of it. */
  readonly files: CaFiles;
  /** Whether a key that is not empty stands beside the certificates that istiod reads. */
  readonly hasKey: boolean;
  readonly inspection: CaInspection;
  /** Keys that are not of the layout istiod reads; `tls.crt` beside the four names makes those four foreign. */
  readonly foreignKeys: readonly string[];
  /** Who else writes it, where that shows: `cert-manager Certificate istio-ca`. */
  readonly managedBy?: string;
}

/** Reads a Secret. Never throws for bad content: that is a finding of the inspection. */
export function readCacerts(secret: SecretObject, options: InspectOptions): CacertsSecret {
  const encoded = secret.data ?? {};
  const decode = (key: string): string | undefined => {
    const value = encoded[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
  };
  const files = caFilesOfSecret(decode, (key) => {
    const value = decode(key);
    return value === undefined ? undefined : new Sensitive(value);
  });
  const {metadata} = secret;
  const known = layoutKeys[files.layout ?? 'pem'];
  return defined({
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    type: secret.type ?? 'Opaque',
    immutable: secret.immutable === true,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    data: Object.fromEntries(
      Object.entries(encoded).map(([key, value]) => [key, new Sensitive(Buffer.from(value, 'base64'))]),
    ),
    files,
    hasKey: (encoded[files.layout === 'tls' ? 'tls.key' : caFileNames.caKey] ?? '') !== '',
    inspection: inspectCaFiles(files, options),
    foreignKeys: Object.keys(encoded)
      .filter((key) => !known.includes(key))
      .sort(),
    managedBy: managerOf(secret),
  });
}

/** The type of a Secret and everything in an immutable one cannot be changed (kubernetes.io: Secrets). */
export function isChangeable({immutable, type}: CacertsSecret): boolean {
  return !immutable && type === 'Opaque';
}

/** Somebody who will put their own content back: found by owner references and cert-manager's annotation. */
function managerOf({metadata}: KubeObject): string | undefined {
  const certificate = metadata.annotations?.['cert-manager.io/certificate-name'];
  if (certificate !== undefined) return `cert-manager Certificate ${certificate}`;
  const owner = metadata.ownerReferences?.[0];
  return owner && `${owner.kind} ${owner.name}`;
}

/**
 * The data of a complete bundle, under istiod's names. Revocation lists: those of `crl`, none where that is empty, or
 * else, byte for byte, what the Secret held.
 */
export function dataOfBundle(bundle: CaBundle, crl?: string, before?: CacertsSecret): SecretData {
  const bytes = (text: string): Sensitive<Buffer> => new Sensitive(Buffer.from(text));
  const revoked = crl === undefined ? before?.data[crlFileName] : crl === '' ? undefined : bytes(crl);
  return defined({
    [caFileNames.caCert]: bytes(bundle.caCert),
    [caFileNames.caKey]: bundle.caKey.map((text) => Buffer.from(text)),
    [caFileNames.rootCert]: bytes(bundle.rootCert),
    [caFileNames.certChain]: bytes(bundle.certChain),
    [crlFileName]: revoked,
  });
}

/**
 * The object without its data. Labels and annotations of others stay, except copies of what the Secret held. Fingerprints are
 * SHA-256 of the DER, comma-separated where there are several roots.
 */
export function cacertsObject(
  place: {readonly namespace: string; readonly name: string; readonly cluster: string},
  {roots, certificate}: CaInspection,
  before?: CacertsSecret,
  rolledBackFrom?: string,
): KubeObject {
  const kept = Object.entries(before?.annotations ?? {}).filter(([name]) => !contentAnnotations.includes(name));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: defined({
      name: place.name,
      namespace: place.namespace,
      labels: {...before?.labels, [managedByLabel]: fieldManager},
      annotations: {
        ...Object.fromEntries(kept),
        [annotations.writtenBy]: fieldManager,
        [annotations.cluster]: place.cluster,
        ...(roots && {[annotations.roots]: roots.map(({fingerprint}) => fingerprint).join(',')}),
        ...(certificate && {
          [annotations.clusterCa]: certificate.fingerprint,
          [annotations.subject]: certificate.subject.text,
          [annotations.notAfter]: certificate.notAfter.toISOString(),
        }),
        ...(rolledBackFrom !== undefined && {[annotations.rolledBackFrom]: rolledBackFrom}),
      },
      resourceVersion: before?.resourceVersion,
    }),
  };
}

/**
 * A JSON patch that makes `object` of a Secret, gives it other public files and takes foreign keys out, without touching the
 * key in it: for work directories that no longer hold the key. It applies only to the version that was seen.
 */
export function cacertsPatch({metadata}: KubeObject, files: CaFiles, before: CacertsSecret): readonly object[] {
  const add = (path: string, value: unknown): object => ({op: 'add', path, value});
  const addText = (name: string, text = ''): object => add(`/data/${name}`, Buffer.from(text).toString('base64'));
  // As `dataOfBundle` has it: what is not said of revocation lists stays.
  const dropsCrl = files.crl === '' && crlFileName in before.data;
  const removed = [...(dropsCrl ? [crlFileName] : []), ...before.foreignKeys];
  return [
    {op: 'test', path: '/metadata/resourceVersion', value: before.resourceVersion},
    ...(['caCert', 'rootCert', 'certChain'] as const).map((part) => addText(caFileNames[part], files[part])),
    ...(files.crl ? [addText(crlFileName, files.crl)] : []),
    // Escaped as a JSON pointer is (RFC 6901 section 3).
    ...removed.map((key) => ({op: 'remove', path: `/data/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`})),
    add('/metadata/labels', metadata.labels),
    add('/metadata/annotations', metadata.annotations),
  ];
}

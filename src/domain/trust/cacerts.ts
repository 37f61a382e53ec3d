/** Secret `cacerts`: its content, how istiod reads it, and how this program writes it. */
import {defined} from '../defined.js';
import {journalHeadAnnotation} from '../journal/head.js';
import {managedByLabel, managerOf} from '../kube/manager.js';
import {type KubeObject, lastAppliedAnnotation, type SecretData} from '../kube/object.js';
import type {SecretObject} from '../kube/objects.js';
import {fieldManager} from '../kube/paths.js';
import {type CaFiles, caFileNames, caFilesOfSecret, caKeyNames} from '../ca/ca-files.js';
import {canonicalCrl, canonicalFiles, unreadableParts} from '../ca/canonical.js';
import {crlFileName} from '../x509/crl.js';
import {inspectCaFiles, type CaInspection, type InspectOptions} from '../ca/inspect-ca.js';
import {containsKey, type EmbeddedKey, embeddedKeys} from '../keys/embedded-keys.js';
import {Sensitive} from '../sensitive.js';

const annotation = (name: string): string => `${fieldManager}/${name}`;

/** The annotations of a Secret that this program writes: the writer, the cluster, the roots and the cluster CA. */
export const annotations = {
  writtenBy: annotation('written-by'),
  cluster: annotation('cluster'),
  roots: annotation('root-sha256'),
  clusterCa: annotation('cluster-ca-sha256'),
  subject: annotation('cluster-ca-subject'),
  notAfter: annotation('cluster-ca-not-after'),
  /** Set by a rollback: the cluster CA that it replaced, by which an incomplete rollback is detected. */
  rolledBackFrom: annotation('rolled-back-from-sha256'),
  /** The write's journal entry, set by the effect, since no other code has it. */
  journalHead: journalHeadAnnotation,
} as const;

/** The annotations that describe the previous content or write only. */
const contentAnnotations: readonly string[] = [
  lastAppliedAnnotation,
  annotations.rolledBackFrom,
  annotations.journalHead,
];

/**
 * The data keys of each layout. All others in a Secret are foreign. Revocation lists never are, although some istiods do not
 * read them: they are compared and kept separately.
 */
const layoutKeys: Readonly<Record<'pem' | 'tls', readonly string[]>> = {
  pem: [...Object.values(caFileNames), crlFileName],
  tls: ['tls.crt', 'tls.key', 'ca.crt', crlFileName],
};

/** A Secret with CA files. */
export interface CacertsSecret {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** All its data, by key. */
  readonly data: SecretData;
  /** The files that istiod reads. */
  readonly files: CaFiles;
  /** Whether there is a non-empty CA key in the layout that istiod reads. */
  readonly hasKey: boolean;
  readonly inspection: CaInspection;
  /** Data keys outside the layout that istiod reads. If `tls.crt` exists, the four *.pem names are foreign. */
  readonly foreignKeys: readonly string[];
  /** The private keys in each of its data keys, in any encoding. */
  readonly privateKeys: Readonly<Record<string, readonly EmbeddedKey[]>>;
  /** The data keys with private keys other than one CA key under its name in either layout. */
  readonly misplacedKeys: readonly string[];
  /** Another tool that manages the Secret, if known: `cert-manager Certificate istio-ca`. */
  readonly managedBy?: string;
}

/** Reads a Secret. Never throws for invalid content, which is a finding of the inspection. */
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
  const data = secretDataOf(secret);
  const privateKeys = privateKeysOf(data);
  return defined({
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    type: secret.type ?? 'Opaque',
    immutable: secret.immutable === true,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    data,
    files,
    hasKey: (encoded[files.layout === 'tls' ? 'tls.key' : caFileNames.caKey] ?? '') !== '',
    inspection: inspectCaFiles(files, options),
    foreignKeys: Object.keys(encoded)
      .filter((key) => !known.includes(key))
      .sort(),
    privateKeys,
    misplacedKeys: Object.entries(privateKeys)
      .flatMap(([key, keys]) => (caKeyNames.includes(key) && keys.length === 1 ? [] : [key]))
      .sort(),
    managedBy: managerOf(secret) ?? labeledManager(secret),
  });
}

/** A Secret's decoded data. */
export function secretDataOf({data = {}}: SecretObject): SecretData {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, new Sensitive(Buffer.from(value, 'base64'))]),
  );
}

/** The private keys in a Secret's data, by data key; data keys without any are absent. */
export function privateKeysOf(data: SecretData): Readonly<Record<string, readonly EmbeddedKey[]>> {
  const found = Object.entries(data).map(([key, value]) => [key, embeddedKeys(value)] as const);
  return Object.fromEntries(found.filter(([, keys]) => keys.length > 0));
}

/** Whether istiod generated the CA in a Secret's data (istio/istio pilot/pkg/bootstrap/istio_ca.go, USE_CACERTS_FOR_SELF_SIGNED_CA). */
export function isGenerated(data: object): boolean {
  return 'istio-generated' in data;
}

/** Reports whether a Secret can be updated. Its type and an immutable Secret cannot be changed (kubernetes.io: Secrets). */
export function isChangeable({immutable, type}: CacertsSecret): boolean {
  return !immutable && type === 'Opaque';
}

/**
 * Returns the tool that the label app.kubernetes.io/managed-by names, if that is not this program. No chart or command of Istio
 * creates this Secret, so here, unlike on Istio's own objects, the label identifies a tool.
 */
function labeledManager({metadata}: KubeObject): string | undefined {
  const name = metadata.labels?.[managedByLabel];
  return name === '' || name === fieldManager ? undefined : name;
}

/** The revocation lists that a change of the CA keeps; undefined if there are none, or nothing but a private key is readable. */
export function keptLists({files: {crl}}: CacertsSecret): string | undefined {
  if (crl === undefined) return undefined;
  return canonicalCrl(crl) ?? (containsKey(crl) ? undefined : crl);
}

/**
 * Returns the data of complete files with istiod's names, built from what was parsed; undefined if a file is missing or
 * cannot be parsed. Revocation lists are those of `crl`, none if `crl` is empty, or without `crl` those of the existing Secret.
 */
export function dataOfFiles(files: CaFiles, before?: CacertsSecret): SecretData | undefined {
  const {crl = before && keptLists(before)} = files;
  const {caCert, caKey, rootCert, certChain, crl: lists} = canonicalFiles({...files, crl});
  const isIncomplete = caCert === undefined || rootCert === undefined || certChain === undefined || caKey === undefined;
  if (isIncomplete || unreadableParts(files).length > 0) return undefined;
  const bytes = (text: string): Sensitive<Buffer> => new Sensitive(Buffer.from(text));
  return defined({
    [caFileNames.caCert]: bytes(caCert),
    [caFileNames.caKey]: caKey.map((text) => Buffer.from(text)),
    [caFileNames.rootCert]: bytes(rootCert),
    [caFileNames.certChain]: bytes(certChain),
    [crlFileName]: lists === undefined || lists === '' ? undefined : bytes(lists),
  });
}

/**
 * Returns the object without its data. Labels and annotations of others are kept, except for copies of the previous content.
 * Fingerprints are SHA-256 of the DER, separated by commas if there are several roots.
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
      labels: {[managedByLabel]: fieldManager, ...before?.labels},
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
 * Returns a JSON patch that replaces a Secret's metadata and public files and removes foreign data keys, but keeps its CA key:
 * for work directories that no longer have the key. It applies only to the observed resource version.
 */
export function cacertsPatch({metadata}: KubeObject, files: CaFiles, before: CacertsSecret): readonly object[] {
  const add = (path: string, value: unknown): object => ({op: 'add', path, value});
  const addText = (name: string, text = ''): object => add(`/data/${name}`, Buffer.from(text).toString('base64'));
  // As in `dataOfFiles`: without `crl`, existing revocation lists are kept.
  const {crl = keptLists(before), ...certificates} = files;
  const built = canonicalFiles({...certificates, crl});
  const dropsCrl = built.crl === '' && crlFileName in before.data;
  const removed = [...(dropsCrl ? [crlFileName] : []), ...before.foreignKeys];
  return [
    {op: 'test', path: '/metadata/resourceVersion', value: before.resourceVersion},
    ...(['caCert', 'rootCert', 'certChain'] as const).map((part) => addText(caFileNames[part], built[part])),
    ...(built.crl ? [addText(crlFileName, built.crl)] : []),
    // Escaped as a JSON pointer (RFC 6901, section 3).
    ...removed.map((key) => ({op: 'remove', path: `/data/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`})),
    add('/metadata/labels', metadata.labels),
    add('/metadata/annotations', metadata.annotations),
  ];
}

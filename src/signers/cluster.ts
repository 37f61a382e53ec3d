/**
 * A root in a cluster's Secret, as used by target `-cacerts-k8s` of Istio's Makefile (istio/istio
 * tools/certs/Makefile.k8s.mk): read by name, used in memory, never written to disk.
 */
import {memoizePerRun} from '../domain/memoize.js';
import {MeshError} from '../domain/errors.js';
import type {SecretObject} from '../domain/kube/objects.js';
import {layout} from '../domain/mesh/layout.js';
import {defaults} from '../domain/mesh/resolve.js';
import type {SignerSpecOf} from '../domain/mesh/signer.js';
import {type CaFiles, caFileNamesOf, caFilesOfSecret} from '../domain/ca/ca-files.js';
import {type CertificateAuthority, parseCertificates} from '../domain/x509/certificate.js';
import {exceedsPathLength, orderUpward} from '../domain/x509/chain.js';
import {spkiHash} from '../domain/keys/keys.js';
import {openPrivateKey} from '../domain/keys/private-key.js';
import {printableLine} from '../domain/printable.js';
import {Sensitive} from '../domain/sensitive.js';
import {advice, type Hint, inspectWith, words} from '../domain/suggest/suggestion.js';
import {createAuthorityIssuer, readRoots, upwardFrom} from './authority.js';
import {createKeySigner} from './keys.js';
import type {SignerContext, SignerModule} from './signer-module.js';

type ClusterSpec = SignerSpecOf<'cluster'>;

/** The Secret with istiod's self-signed root (istio/istio security/pkg/pki/ca/ca.go, CASecret). */
const selfSignedSecret = 'istio-ca-secret';

/** `{type: cluster}`. */
export const clusterSigner: SignerModule<'cluster'> = {
  async survey(spec, context) {
    const {certificate, above} = await authorityOf(spec, context);
    return {kind: 'ready', what: nameOf(spec), upward: [certificate, ...above]};
  },
  async open(spec, context) {
    return createAuthorityIssuer(await authorityOf(spec, context), nameOf(spec));
  },
};

/** The Secret's name in messages. */
function nameOf(spec: ClusterSpec): string {
  const {namespace, name} = secretOf(spec);
  return `Secret ${namespace}/${name} of ${spec.context}`;
}

function secretOf({namespace = defaults.namespace, secret = selfSignedSecret}: ClusterSpec) {
  return {apiVersion: 'v1', kind: 'Secret', namespace, name: secret};
}

/** The Secret is read once per run, so that the key in the plan is the key that signs. */
const authorityOf = memoizePerRun(openAuthority);

async function openAuthority(spec: ClusterSpec, context: SignerContext): Promise<CertificateAuthority> {
  const what = nameOf(spec);
  const [data, roots] = await Promise.all([readSecret(spec, context), readRoots(context.workspace)]);
  const files = filesOf(data);
  const names = caFileNamesOf(files);
  const {caCert, caKey} = files;
  if (caCert === undefined || caKey === undefined) {
    const missing = (['caCert', 'caKey'] as const).filter((part) => files[part] === undefined);
    const keys = Object.keys(data).map(printableLine);
    throw invalid(
      `${what} has no ${missing.map((part) => names[part]).join(' and no ')}: it does not contain a CA that can sign`,
      'set trust.signer.secret to the Secret that contains the root',
      keys.length === 0 ? 'the Secret is empty' : `data keys of the Secret: ${keys.join(', ')}`,
    );
  }
  // In the tls layout, the chain is the other two texts.
  const chain = files.layout === 'tls' ? [] : (files.certChain ?? []);
  const certificates = [caCert, chain, files.rootCert ?? []]
    .flat()
    .flatMap((text) => parseCertificates(text, what).certificates);
  const encrypted = invalid(
    `${what}: ${names.caKey} is encrypted, so istiod cannot use it either`,
    'use the key as a file: see trust.signer {type: local} and --root-dir',
  );
  const signer = createKeySigner(
    await openPrivateKey(caKey, () => Promise.reject(encrypted), `${what}, ${names.caKey}`),
  );
  const [own] = certificates;
  if (own?.spki !== spkiHash(signer.publicKey)) {
    throw invalid(
      `${what}: ${names.caKey} is not the key of ${names.caCert}`,
      'restore the matching pair: one of them was replaced',
    );
  }
  // The Makefile uses `cacerts` as a root if it exists: istiod loads a CA signed by it, but workloads cannot verify that CA.
  if (!own.selfSigned && exceedsPathLength(own, 1)) {
    throw invalid(
      `${what} contains a cluster CA ("${own.subject.text}"), not a root: with path length 0 it can sign workloads, but not other CAs`,
      `sign with the CA above it, "${own.issuer.text}", and keep ${layout.rootCert}`,
    );
  }
  // istiod renews its self-signed root with the same key: prefer the work directory's certificate of that key, which is
  // the one that clusters trust.
  const known = own.selfSigned ? upwardFrom(own.spki, [], roots) : [];
  const upward = known.length > 0 ? known : orderUpward(own, [...certificates, ...roots]);
  const [certificate = own, ...above] = upward;
  return {signer, certificate, above};
}

function invalid(message: string, ...hints: readonly Hint[]): MeshError {
  return new MeshError('CA_FILES_INVALID', message, {hints});
}

async function readSecret(spec: ClusterSpec, context: SignerContext): Promise<NonNullable<SecretObject['data']>> {
  const ref = secretOf(spec);
  const secret = await (await context.clusters.open(spec.context)).find<SecretObject>(ref);
  if (secret) return secret.data ?? {};
  throw new MeshError('SIGNER_UNAVAILABLE', `${nameOf(spec)} not found: it must contain the root CA`, {
    hints: [
      ref.name === selfSignedSecret
        ? `check that Istio runs in namespace ${ref.namespace}: istiod creates the Secret when it starts without cacerts`
        : advice`list the Secrets: ${inspectWith.kubectl(spec, words`-n ${ref.namespace} get secrets`)}`,
    ],
  });
}

/** Empty values count as absent: istiod up to 1.19 left root-cert.pem and cert-chain.pem of its own Secret empty. */
function filesOf(data: NonNullable<SecretObject['data']>): CaFiles {
  const text = (key: string): string | undefined => {
    const decoded = Buffer.from(data[key] ?? '', 'base64').toString('utf8');
    return decoded.trim() === '' ? undefined : decoded;
  };
  return caFilesOfSecret(text, (key) => {
    const value = text(key);
    return value === undefined ? undefined : new Sensitive(value);
  });
}

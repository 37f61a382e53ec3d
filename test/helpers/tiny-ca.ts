import {type KeyObject, randomBytes, sign} from 'node:crypto';
import {promisify} from 'node:util';
import {type SignatureAlgorithm, signatureAlgorithmFor, signatureAlgorithms} from '../../src/domain/x509/algorithms.js';
import type {CaBundle} from '../../src/domain/ca/ca-files.js';
import {
  type Certificate,
  type CertificateTemplate,
  issueCertificate,
  keyIdentifier,
  type Signer,
} from '../../src/domain/x509/certificate.js';
import {chainPem} from '../../src/domain/x509/chain.js';
import {type KeyAlgorithm, publicHalf} from '../../src/domain/keys/keys.js';
import {generateKey} from '../../src/signers/keys.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {clusterCaTemplate, rootTemplate} from '../../src/domain/x509/profile.js';

const signAsync = promisify(sign);

/** A key with the certificate that belongs to it. */
export interface TinyCa {
  readonly key: KeyObject;
  readonly certificate: Certificate;
  readonly signer: Signer;
}

/** A signer of a key in memory. */
export function memorySigner(key: KeyObject): Signer {
  const algorithm: SignatureAlgorithm = signatureAlgorithmFor(key) ?? 'sha256WithRSAEncryption';
  return {
    publicKey: publicHalf(key),
    algorithm,
    sign: async (message) => signAsync(signatureAlgorithms[algorithm].hashes[0], message, key),
  };
}

export interface TinyOptions {
  readonly algorithm?: KeyAlgorithm;
  readonly now?: Date;
  readonly days?: number;
  readonly meshID?: string;
  /** Changes the template before it is signed: for certificates that we would never issue. */
  readonly change?: (template: CertificateTemplate) => CertificateTemplate;
}

/** A root CA, made by the program's own code. */
export async function tinyRoot(options: TinyOptions = {}): Promise<TinyCa> {
  const key = await generateKey(options.algorithm ?? 'ecdsa-p256');
  const signer = memorySigner(key);
  const template = rootTemplate({
    publicKey: signer.publicKey,
    validityDays: options.days ?? 3650,
    now: options.now ?? new Date(),
    serial: randomBytes(16),
    ...(options.meshID !== undefined && {meshID: options.meshID}),
  });
  const certificate = await issueCertificate(options.change?.(template) ?? template, signer, 'root-cert.pem');
  return {key, certificate, signer};
}

/** A cluster CA under a root (or under another CA). */
export async function tinyClusterCa(issuer: TinyCa, cluster: string, options: TinyOptions = {}): Promise<TinyCa> {
  const key = await generateKey(options.algorithm ?? 'ecdsa-p256');
  const signer = memorySigner(key);
  const template = clusterCaTemplate({
    publicKey: signer.publicKey,
    cluster,
    validityDays: options.days ?? 730,
    now: options.now ?? new Date(),
    serial: randomBytes(16),
    issuer: issuer.certificate,
  });
  const certificate = await issueCertificate(options.change?.(template) ?? template, issuer.signer, 'ca-cert.pem');
  return {key, certificate, signer};
}

/** The four files of a cluster CA. `above`: its issuers upward, the root last. */
export function bundleOf(ca: TinyCa, above: readonly TinyCa[]): CaBundle {
  const root = above.at(-1);
  if (!root) throw new Error('a bundle needs a root');
  return {
    caCert: ca.certificate.pem,
    caKey: writePrivateKey(ca.key),
    rootCert: root.certificate.pem,
    certChain: chainPem([ca, ...above].map(({certificate}) => certificate)),
  };
}

/** A workload's certificate as istiod would issue it. */
export async function tinyLeaf(issuer: TinyCa, options: TinyOptions = {}): Promise<TinyCa> {
  return tinyClusterCa(issuer, 'leaf', {
    ...options,
    days: options.days ?? 1,
    change: (template) => {
      const leaf: CertificateTemplate = {
        ...template,
        extensions: {
          basicConstraints: {ca: false},
          keyUsage: ['digitalSignature', 'keyEncipherment'],
          extendedKeyUsage: ['serverAuth', 'clientAuth'],
          subjectKeyId: keyIdentifier(template.publicKey),
          ...(template.extensions.authorityKeyId && {authorityKeyId: template.extensions.authorityKeyId}),
          subjectAltNames: [{type: 'uri', value: 'spiffe://cluster.local/ns/default/sa/default'}],
        },
      };
      return options.change?.(leaf) ?? leaf;
    },
  });
}

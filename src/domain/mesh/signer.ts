/** The signer of the mesh's cluster CAs, resolved from mesh.yaml and flags. */
import {isDeepStrictEqual} from 'node:util';
import {MeshError} from '../errors.js';
import {printableLine} from '../printable.js';
import {layout} from './layout.js';
import type {DeclaredSigner} from './signer-schema.js';

/** The signer of cluster CAs (docs/signers.md). */
export type SignerSpec = DeclaredSigner;
export type SignerType = SignerSpec['type'];
/** The declaration of one type of signer. */
export type SignerSpecOf<Type extends SignerType> = Extract<SignerSpec, {type: Type}>;

/** The address of istio-csr, unless `caAddress` declares another one (cert-manager/istio-csr deploy/charts/istio-csr). */
export const defaultIstioCsrAddress = 'cert-manager-istio-csr.cert-manager.svc:443';

/** Flags that concern the signer. */
export interface SignerOverride {
  /** `--signer` */
  readonly signer?: DeclaredSigner | undefined;
  /** `--root-dir`: the current directory of the root key; like a context, it may differ from the declared one. */
  readonly rootDirectory?: string | undefined;
}

/** Resolves the signer. Throws `CONTRADICTION`, also for `--root-dir` with a signer that is not local. */
export function resolveSigner(declared: SignerSpec | undefined, {signer, rootDirectory}: SignerOverride): SignerSpec {
  if (declared && signer && !matchesDeclaration(declared, signer)) {
    const [ours = '', theirs = ''] = [signer, declared].map((one) => printableLine(JSON.stringify(one)));
    throw new MeshError('CONTRADICTION', `--signer ${ours} contradicts trust.signer ${theirs} in ${layout.meshYaml}`, {
      hints: [`omit --signer, or change ${layout.meshYaml}`],
    });
  }
  const spec = declared ?? signer ?? {type: 'local'};
  if (rootDirectory === undefined) return spec;
  if (spec.type !== 'local') {
    throw new MeshError('CONTRADICTION', `--root-dir requires the signer local, but the signer is ${spec.type}`, {
      hints: [`omit --root-dir`],
    });
  }
  return {...spec, directory: rootDirectory};
}

/**
 * Reports whether istiod uses the CA in Secret cacerts with this signer. It does not if another CA issues workload
 * certificates. cert-manager fills the Secret itself.
 */
export function usesCacerts(signer: SignerSpec): boolean {
  return signer.type !== 'external' || signer.issuer === 'cert-manager';
}

/** The names of external issuers in messages. */
const issuerNames = {
  'istio-csr': 'istio-csr',
  'kubernetes-csr': 'a Kubernetes CertificateSigningRequest signer',
  spire: 'SPIRE',
  'cert-manager': 'cert-manager',
} as const;

/**
 * Returns why there is nothing to generate or push with this signer; undefined if this program issues the cluster CAs or
 * imports them from an external CA.
 */
export function externalCaReason(signer: SignerSpec): string | undefined {
  if (signer.type !== 'external') return undefined;
  const name = issuerNames[signer.issuer];
  return signer.issuer === 'cert-manager'
    ? `${name} fills Secret cacerts in each cluster (trust.signer)`
    : `${name} issues workload certificates, and istiod does not use Secret cacerts (trust.signer)`;
}

/** Returns the path of the root key for messages, with its directory if that is not the work directory. */
export function rootKeyPath(signer: SignerSpec): string {
  if (signer.type !== 'local' || signer.directory === undefined) return layout.rootKey;
  return `${signer.directory.replace(/\/+$/, '')}/${layout.rootKey}`;
}

/** The directory of a root key that is not at the top level of the work directory. */
export function rootKeyDirectory(path: string): string {
  return path.slice(0, -`/${layout.rootKey}`.length) || '/';
}

/** How to include the root key if it is not in the work directory, as the end of a sentence. */
export function rootKeyHint(signer: SignerSpec): string {
  if (signer.type !== 'local') return '';
  return signer.directory === undefined
    ? '; for a root key elsewhere, use --root-dir DIR or set trust.signer {type: local, directory: DIR} in mesh.yaml'
    : `, and ${rootKeyPath(signer)} not found`;
}

/** A type without fields matches every declaration of that type. */
function matchesDeclaration(declared: SignerSpec, override: SignerSpec): boolean {
  const typeOnly = Object.keys(override).length === 1;
  return typeOnly ? declared.type === override.type : isDeepStrictEqual(declared, override);
}

/** Who signs the mesh's cluster CAs, resolved: what mesh.yaml declares, what the flags say. */
import {isDeepStrictEqual} from 'node:util';
import {MeshError} from '../errors.js';
import {printableLine} from '../printable.js';
import {layout} from './layout.js';
import type {DeclaredSigner} from './signer-schema.js';

/** Who signs cluster CAs (docs/signers.md). */
export type SignerSpec = DeclaredSigner;
export type SignerType = SignerSpec['type'];
/** The declaration of one kind of signer. */
export type SignerSpecOf<Type extends SignerType> = Extract<SignerSpec, {type: Type}>;

/** What was said of the signer for this run. */
export interface SignerOverride {
  /** `--signer` */
  readonly signer?: DeclaredSigner | undefined;
  /** `--root-dir`: where this person's root key is now; like a context, it may differ from what is declared. */
  readonly rootDirectory?: string | undefined;
}

/** Resolves. Throws `CONTRADICTION`, also for `--root-dir` with a signer that is not local. */
export function resolveSigner(declared: SignerSpec | undefined, said: SignerOverride): SignerSpec {
  if (declared && said.signer && !matchesDeclaration(declared, said.signer)) {
    const [ours = '', theirs = ''] = [said.signer, declared].map((signer) => printableLine(JSON.stringify(signer)));
    throw new MeshError(
      'CONTRADICTION',
      `--signer says ${ours}, ${layout.meshYaml} declares another signer under trust.signer: ${theirs}`,
      {hints: [`leave --signer away, or change ${layout.meshYaml}`]},
    );
  }
  const spec = declared ?? said.signer ?? {type: 'local'};
  if (said.rootDirectory === undefined) return spec;
  if (spec.type !== 'local') {
    throw new MeshError('CONTRADICTION', `--root-dir is for a root key in a file, the signer here is ${spec.type}`, {
      hints: [`leave --root-dir away`],
    });
  }
  return {...spec, directory: said.rootDirectory};
}

/**
 * Whether istiod gets its CA from Secret cacerts with this signer; not where workload certificates come from elsewhere.
 * cert-manager fills that Secret itself.
 */
export function usesCacerts(signer: SignerSpec): boolean {
  return signer.type !== 'external' || signer.issuer === 'cert-manager';
}

/** How the issuers of `external` are called in messages. */
const issuerNames = {
  'istio-csr': 'istio-csr',
  'kubernetes-csr': "a signer of Kubernetes' CertificateSigningRequests",
  spire: 'SPIRE',
  'cert-manager': 'cert-manager',
} as const;

/**
 * Why there is nothing to generate and nothing to push with this signer; undefined where this program makes the cluster
 * CAs, or takes them from a CA elsewhere into the work directory.
 */
export function externalCaReason(signer: SignerSpec): string | undefined {
  if (signer.type !== 'external') return undefined;
  const name = issuerNames[signer.issuer];
  return signer.issuer === 'cert-manager'
    ? `${name} fills Secret cacerts of each cluster (trust.signer)`
    : `${name} issues workload certificates here, and istiod needs no cacerts (trust.signer)`;
}

/** The path of the root key as people know it: with its directory where that is not the work directory. */
export function rootKeyPath(signer: SignerSpec): string {
  if (signer.type !== 'local' || signer.directory === undefined) return layout.rootKey;
  return `${signer.directory.replace(/\/+$/, '')}/${layout.rootKey}`;
}

/** A type alone says nothing of the fields: it agrees with every declaration of that type. */
function matchesDeclaration(declared: SignerSpec, said: SignerSpec): boolean {
  const typeOnly = Object.keys(said).length === 1;
  return typeOnly ? declared.type === said.type : isDeepStrictEqual(declared, said);
}

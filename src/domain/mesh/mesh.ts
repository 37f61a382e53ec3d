/**
 * The mesh as operations see it: mesh.yaml, contexts.yaml, environment and flags resolved into one value
 * (`resolve.ts`). What mesh.yaml may leave out stays optional here; `resolve.ts` asks for it where it is needed.
 */
import {istiodServingNames} from '../istio/names.js';
import type {KeyAlgorithm} from '../keys/keys.js';
import type {ExpiryThresholds} from '../x509/expiry.js';
import type {MeshFile, MeshFileCluster} from './schema.js';
import type {SignerSpec} from './signer.js';

/** One cluster of the mesh: what mesh.yaml says of it (`schema.ts`), with the context and network that hold in this run. */
export interface MeshCluster extends MeshFileCluster {
  readonly role: 'primary' | 'remote';
}

/** Istio settings shared by all clusters: what mesh.yaml says of them, and defaults. */
export interface MeshIstio extends NonNullable<MeshFile['istio']> {
  readonly namespace: string;
  readonly profile: string;
}

/** How the mesh's trust is made. Days are 24 h. */
export interface MeshTrust {
  readonly keyAlgorithm: KeyAlgorithm;
  readonly rootValidityDays: number;
  readonly clusterValidityDays: number;
  /** Who signs cluster CAs. */
  readonly signer: SignerSpec;
  readonly keepClusterKeys: boolean;
  /** Render ISTIO_MULTIROOT_MESH and PROXY_CONFIG_XDS_AGENT where the version has them (istio/istio pilot/pkg/features/pilot.go). */
  readonly rotationReady: boolean;
  /** mesh.yaml itself says `rotationReady: true`: then it is an intention, not a default. */
  readonly rotationDeclared?: boolean;
  readonly expiry: ExpiryThresholds;
}

/** The mesh, resolved. */
export interface Mesh extends Pick<MeshFile, 'meshID' | 'access'> {
  readonly trustDomain: string;
  readonly istio: MeshIstio;
  readonly trust: MeshTrust;
  readonly clusters: readonly MeshCluster[];
}

/** What `inspectCaFiles` (ca/inspect-ca.ts) holds name constraints to. */
export interface MeshNames {
  readonly trustDomain: string;
  /** DNS names of istiod's own certificate. */
  readonly servingNames: readonly string[];
}

/** The names that certificates below a mesh's CAs will have: what name constraints above must allow. */
export function meshNames({trustDomain, istio}: Pick<Mesh, 'trustDomain' | 'istio'>): MeshNames {
  return {trustDomain, servingNames: istiodServingNames(istio.namespace, istio.revisions)};
}

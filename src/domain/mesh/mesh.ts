/**
 * The mesh as operations see it: mesh.yaml, contexts.yaml, environment and flags resolved into one value
 * (`resolve.ts`). What mesh.yaml may leave out stays optional here; `require.ts` asks for it where it is needed.
 */

import {istiodServingNames} from '../istio/names.js';
import type {KeyAlgorithm} from '../keys/keys.js';
import type {ExpiryThresholds} from '../x509/expiry.js';
import type {SignerSpec} from './signer.js';

/** One cluster of the mesh. */
export interface MeshCluster {
  /** A DNS-1123 label, unique in the mesh; also Istio's `clusterName`. */
  readonly name: string;
  /** The kubeconfig context; absent until somebody names one (`--context`, contexts.yaml, mesh.yaml). */
  readonly context?: string;
  /** Istio's network ID. */
  readonly network?: string;
  readonly role: 'primary' | 'remote';
  /** For a remote: the primary whose istiod it uses. */
  readonly primary?: string;
  /** UID of the kube-system namespace, recorded at first contact. */
  readonly uid?: string;
  /** Helm values merged into this cluster's install.yaml. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Overlay files (relative to the work directory) merged into this cluster's install.yaml, in order. */
  readonly overlays?: readonly string[];
}

/** Istio settings shared by all clusters. */
export interface MeshIstio {
  /** `MAJOR.MINOR` or `MAJOR.MINOR.PATCH`; absent: ask istioctl. */
  readonly version?: string;
  readonly namespace: string;
  readonly profile: string;
  readonly hub?: string;
  readonly tag?: string;
  /** Declared control plane revisions; the default revision is `default`. */
  readonly revisions?: readonly string[];
  readonly values?: Readonly<Record<string, unknown>>;
  readonly overlays?: readonly string[];
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
export interface Mesh {
  readonly meshID?: string;
  readonly trustDomain: string;
  readonly istio: MeshIstio;
  readonly trust: MeshTrust;
  /** Who is meant to reach the CA keys: `User:NAME`, `Group:NAME`, `ServiceAccount:NAMESPACE/NAME`. Absent: not said. */
  readonly access?: {readonly expected: readonly string[]};
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

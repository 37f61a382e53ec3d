/**
 * The mesh, resolved from mesh.yaml, contexts.yaml, environment and flags (`resolve.ts`), as operations use it. What is
 * optional in mesh.yaml is optional here; `resolve.ts` has functions that require such values.
 */
import {istiodServingNames} from '../istio/names.js';
import type {KeyAlgorithm} from '../keys/keys.js';
import type {ExpiryThresholds} from '../x509/expiry.js';
import type {MeshFile, MeshFileCluster} from './schema.js';
import type {SignerSpec} from './signer.js';

/** One cluster of the mesh: its entry in mesh.yaml (`schema.ts`), with the context and network of this run. */
export interface MeshCluster extends MeshFileCluster {
  readonly role: 'primary' | 'remote';
}

/** Istio settings of all clusters: those in mesh.yaml, and defaults. */
export interface MeshIstio extends NonNullable<MeshFile['istio']> {
  readonly namespace: string;
  readonly profile: string;
}

/** Settings for the mesh's certificates. A day has 24 h. */
export interface MeshTrust {
  readonly keyAlgorithm: KeyAlgorithm;
  readonly rootValidityDays: number;
  readonly clusterValidityDays: number;
  /** The signer of cluster CAs. */
  readonly signer: SignerSpec;
  readonly keepClusterKeys: boolean;
  /** Render ISTIO_MULTIROOT_MESH and PROXY_CONFIG_XDS_AGENT if the version has them (istio/istio pilot/pkg/features/pilot.go). */
  readonly rotationReady: boolean;
  /** mesh.yaml contains `rotationReady: true`, so it is not only the default. */
  readonly rotationDeclared?: boolean;
  readonly expiry: ExpiryThresholds;
}

/** How clusters read each other. */
export interface MeshDiscovery {
  /** `bound`: tokens from TokenRequest, bound to a Secret; `secret`: long-lived token Secrets. */
  readonly token: 'bound' | 'secret';
  /** Requested lifetime of a bound token. Days of 24 h. */
  readonly tokenLifetimeDays: number;
}

/** How clusters on different networks reach each other. */
export type MeshTopology = Required<NonNullable<MeshFile['topology']>>;

/** The resolved mesh. */
export interface Mesh extends Pick<MeshFile, 'meshID' | 'access'> {
  readonly trustDomain: string;
  readonly istio: MeshIstio;
  readonly trust: MeshTrust;
  readonly discovery: MeshDiscovery;
  readonly topology: MeshTopology;
  readonly clusters: readonly MeshCluster[];
  /** Settings of verify: the image of the pods of `--traffic`. */
  readonly verify: {readonly image: string};
}

/** The cluster whose istiod configures a cluster's proxies and reads policies for them: a remote's primary, otherwise the cluster itself. */
export function controlPlaneClusterOf<Cluster extends MeshCluster>(
  cluster: Cluster,
  {clusters}: {readonly clusters: readonly Cluster[]},
): Cluster {
  return clusters.find(({name}) => name === cluster.primary) ?? cluster;
}

/** The names against which `inspectCaFiles` (ca/inspect-ca.ts) checks name constraints. */
export interface MeshNames {
  readonly trustDomain: string;
  /** DNS names of istiod's own certificate. */
  readonly servingNames: readonly string[];
}

/** Returns the names in certificates that the mesh's CAs sign; name constraints of the CAs must permit them. */
export function meshNames({trustDomain, istio}: Pick<Mesh, 'trustDomain' | 'istio'>): MeshNames {
  return {trustDomain, servingNames: istiodServingNames(istio.namespace, istio.revisions)};
}

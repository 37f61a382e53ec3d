/** The names that certificates below a mesh's CAs will have: what name constraints above must allow. */
import {istiodServingNames} from '../istio/names.js';
import type {Mesh} from './mesh.js';

/** What `inspectCaFiles` (ca/inspect-ca.ts) holds name constraints to. */
export interface MeshNames {
  readonly trustDomain: string;
  /** DNS names of istiod's own certificate. */
  readonly servingNames: readonly string[];
}

/** The mesh's. */
export function meshNames({trustDomain, istio}: Pick<Mesh, 'trustDomain' | 'istio'>): MeshNames {
  return {trustDomain, servingNames: istiodServingNames(istio.namespace, istio.revisions)};
}

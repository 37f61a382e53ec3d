/** Which checks have nothing to judge, whatever is seen: those of a CA that the mesh does not have. */
import type {Mesh} from '../mesh/mesh.js';
import {madeElsewhere, usesCacerts} from '../mesh/signer.js';
import type {Check} from './check.js';

/** Why a check does not apply to this mesh; undefined where it does. */
export function outOfPlace({about}: Pick<Check, 'about'>, {trust: {signer}}: Pick<Mesh, 'trust'>): string | undefined {
  if (about === undefined || usesCacerts(signer)) return undefined;
  const isSpire = signer.type === 'external' && signer.issuer === 'spire';
  if (about === "istiod's CA" && !isSpire) return undefined;
  return madeElsewhere(signer);
}

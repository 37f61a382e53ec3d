/** root-cert.pem of the mesh. */
import {MeshError, recover} from '../errors.js';
import {layout} from '../mesh/layout.js';
import {advice, kubectlMesh} from '../suggest/suggestion.js';
import {certificatesIn} from './rewrite.js';
import {parseTrustStore, type TrustStore} from './trust-store.js';

/** The mesh's roots. Throws `NOT_PEM`, `NOT_A_CERTIFICATE`; a hint states whether `certs rewrite` can repair the file. */
export function parseRootCert(text: string): TrustStore {
  return recover(
    () => parseTrustStore(text, layout.rootCert),
    (error) => {
      const {code, message, hints, cause} = error;
      const isOfForm = code === 'NOT_PEM' && certificatesIn(text) !== undefined;
      const rewrite = advice`write the same certificates in canonical form with: ${kubectlMesh('certs rewrite', ['--yes'])}`;
      throw new MeshError(code, message, {hints: isOfForm ? [rewrite, ...hints] : hints, cause});
    },
  );
}

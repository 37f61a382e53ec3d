/** Facts that running istiods say of themselves. */
import type {CertificateFacts} from './files.js';

/** What an istiod pod presents on its secure port. */
export interface ServedChain {
  /** As sent on the wire, leaf first. */
  readonly chain: readonly CertificateFacts[];
  /** Whether each certificate's signature was made by the next one's key. */
  readonly linked: boolean;
}

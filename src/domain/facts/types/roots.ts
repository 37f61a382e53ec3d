/** Facts of the roots that workloads really trust, as istiod published them. */
import type {Certificate} from '../../x509/certificate.js';

/** The bundle beside istiod: what istiod has loaded, and what it gives its workloads. */
export interface LiveRoots {
  /** `ConfigMap istio-system/istio-ca-root-cert`. */
  readonly from: string;
  /** The certificates that can be read in it. */
  readonly certificates: readonly Certificate[];
}

/** istiod publishes the bundle by other means than ConfigMaps. */
export type LiveRootsElsewhere = 'elsewhere';

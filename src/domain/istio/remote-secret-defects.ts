/**
 * What istiod loses when a remote secret changes while it runs. Since 1.30 it replaces the registry of the remote cluster in
 * place (istio/istio pkg/kube/multicluster/secretcontroller.go, addRemoteConfig), unless the kubeconfig is byte for byte the
 * same. A restart recovers everything.
 */
import type {AffectedReleases} from './since.js';

/** A defect with its source. */
interface Defect extends AffectedReleases {
  readonly source: string;
}

/** The defects by what is lost. */
export const remoteSecretDefects = {
  /** The endpoints of every service whose endpoints do not change afterwards; the cluster is still reported as synced. */
  endpoints: {
    from: '1.30',
    fixedIn: ['1.30.4', '1.31.0'],
    source:
      'istio/istio#61043 (releasenotes/notes/61043.yaml), pilot/pkg/serviceregistry/kube/controller/multicluster.go',
  },
  /** The cluster's network gateways, once istiod next reloads those of any cluster. */
  gateways: {
    from: '1.30',
    fixedIn: ['1.30.4', '1.31.0'],
    source: 'istio/istio#60920 (releasenotes/notes/60920.yaml), pilot/pkg/serviceregistry/aggregate/controller.go',
  },
  /** Changes in the cluster: the new registry waits for itself until PILOT_REMOTE_CLUSTER_TIMEOUT, or forever without one. */
  changes: {
    from: '1.30',
    fixedIn: ['1.30.3', '1.31.0'],
    source:
      'istio/istio#60612 (releasenotes/notes/60612.yaml), pilot/pkg/serviceregistry/kube/controller/multicluster.go',
  },
} as const satisfies Readonly<Record<string, Defect>>;

import {apiServerCheck, notApplicable, ok} from '../check.js';
import {formatMinute} from '../../format.js';

/** Proxies get new roots later than istiod: unknown until all of them must have. */
export const proxiesCheck = apiServerCheck({
  id: 'MESH310',
  title: 'Proxies have received the latest roots',
  severity: 'warning',
  requires: ['proxyRoots'],
  expected: 'no proxy that started under other roots and has not contacted istiod since',
  judge: ({proxyRoots}) => {
    switch (proxyRoots.state) {
      case 'ClusterTrustBundle':
        return notApplicable(
          'istiod publishes its roots in a ClusterTrustBundle, which does not record when they changed: whether proxies have received them is unknown',
        );
      case 'not recorded':
        return notApplicable('this API server does not record when istiod wrote its roots');
      case 'never changed':
        return ok(`unchanged since the first roots of ${formatMinute(proxyRoots.since)}`);
      case 'outlived':
        return ok(`changed at ${formatMinute(proxyRoots.changedAt)}; all older certificates have expired`);
      case 'no older proxy':
        return ok(`changed at ${formatMinute(proxyRoots.changedAt)}; every proxy started later`);
      case 'pushed':
        return ok(
          `changed at ${formatMinute(proxyRoots.changedAt)}; istiod pushed them to ${String(proxyRoots.proxies)} older proxies`,
        );
    }
  },
  meaning:
    "istiod loads new roots immediately, but a proxy gets them when it renews its certificate: after half of the certificate's lifetime (12 hours by default), and at the latest when it expires. Until then the result is unknown, unless no proxy is older than the change, or istiod pushes roots (ISTIO_MULTIROOT_MESH) to proxies that accept them (PROXY_CONFIG_XDS_AGENT in their proxyMetadata, set before they started). A bundle that was deleted and recreated counts as a change for proxies that are older than all bundles with the same content: the roots that they started with are unknown.",
  breaks:
    'A proxy with old roots rejects peers under an added root, and accepts peers under a removed one. Adding a root while keeping the old one is harmless by itself; signing under it too early is not.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-ca-root-cert --show-managed-fields -o yaml   # time of f:root-cert.pem\nkubectl --context "$CTX" get pods --all-namespaces -l service.istio.io/canonical-name --sort-by=.metadata.creationTimestamp\nistioctl --context "$CTX" proxy-config secret "$POD.$NAMESPACE" -o json   # ROOTCA: what that proxy trusts',
  fix: 'Wait until the time in the message, or restart the workloads: they fetch roots and certificates at startup. The suggested command restarts the Deployments, StatefulSets and DaemonSets that own the proxies, or, if there are more than 20, all of those in their namespaces. It does not restart bare pods, Jobs and Argo Rollouts: recreate these yourself.',
  source:
    'istio/istio security/pkg/nodeagent/cache/secretcache.go, pkg/istio-agent/xds_proxy.go, pilot/pkg/xds/pcds.go, pilot/cmd/pilot-agent/options/options.go (SECRET_TTL, SECRET_GRACE_PERIOD_RATIO)',
});

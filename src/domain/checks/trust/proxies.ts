import {apiServerCheck, notApplicable, ok} from '../check.js';
import {formatMinute} from '../../format.js';

/** Proxies learn of other roots later than istiod does: until they must have, nothing is said to be well. */
export const proxiesCheck = apiServerCheck({
  id: 'MESH310',
  title: 'Proxies have followed the last change of the roots',
  severity: 'warning',
  needs: ['proxyRoots'],
  expected: 'no proxy that started under other roots and has not asked istiod since',
  judge: ({proxyRoots}) => {
    switch (proxyRoots.state) {
      case 'elsewhere':
        return notApplicable(
          'istiod publishes its roots in a ClusterTrustBundle, which does not say when they changed: whether proxies have followed is not known',
        );
      case 'not recorded':
        return notApplicable('this API server does not record when istiod wrote its roots');
      case 'never changed':
        return ok(`the roots are those of ${formatMinute(proxyRoots.since)}, the first`);
      case 'outlived':
        return ok(`changed at ${formatMinute(proxyRoots.changedAt)}; all older certificates have ended`);
      case 'no older proxy':
        return ok(`changed at ${formatMinute(proxyRoots.changedAt)}; every proxy started later`);
      case 'pushed':
        return ok(
          `changed at ${formatMinute(proxyRoots.changedAt)}; istiod pushed them to ${String(proxyRoots.proxies)} older proxies`,
        );
    }
  },
  meaning:
    'istiod loads new roots at once, but a proxy is told of them when it renews its certificate: at half of its life, 12 hours by default, a whole life at the latest. Until then the answer is unknown, unless no proxy is older than the change, or istiod pushes roots (ISTIO_MULTIROOT_MESH) to proxies that listen (PROXY_CONFIG_XDS_AGENT in their proxyMetadata, set before they started). A bundle that was deleted and made anew counts as a change for proxies that are older than all bundles with its text: nothing tells what they started with.',
  breaks:
    'A proxy that is behind refuses peers under a root that was added, and accepts peers under one that was taken away. Adding a root while the old one stays harms nothing by itself; signing under it too early does.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-ca-root-cert --show-managed-fields -o yaml   # time of f:root-cert.pem\nkubectl --context "$CTX" get pods --all-namespaces -l service.istio.io/canonical-name --sort-by=.metadata.creationTimestamp\nistioctl --context "$CTX" proxy-config secret "$POD.$NAMESPACE" -o json   # ROOTCA: what that proxy trusts',
  mend: 'Wait until the time that the reason names, or restart the workloads: they fetch roots and certificate at their start. The command names the Deployments, StatefulSets and DaemonSets that own the proxies, up to 20 of them, and else restarts all of their namespaces. Bare pods, Jobs and Argo Rollouts are not restarted by it: make those anew yourself.',
  source:
    'istio/istio security/pkg/nodeagent/cache/secretcache.go, pkg/istio-agent/xds_proxy.go, pilot/pkg/xds/pcds.go, pilot/cmd/pilot-agent/options/options.go (SECRET_TTL, SECRET_GRACE_PERIOD_RATIO)',
});

/** Namespaces into whose pods Istio injects proxies: these pods mount the trust bundle, and do not start without it. */
import type {ControlPlaneFacts, NamespaceFacts, WebhookConfigurationFacts} from '../../facts/facts.js';
import {defaultRevision} from '../../istio/names.js';

/** A namespace, and the control plane whose webhook injects its pods. */
export interface InjectedNamespace {
  readonly namespace: NamespaceFacts;
  readonly by: ControlPlaneFacts;
}

/** Namespaces that istiod never injects, whatever their labels are (istio/istio pkg/kube/inject/initializer.go). */
const ignored: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'];

/**
 * The namespaces that a control plane injects by their labels. Those with a revision that belongs to none of these control
 * planes are omitted. Undefined if only the webhooks, which are unknown, could show which revision a tag refers to.
 */
export function injectedNamespaces(
  namespaces: readonly NamespaceFacts[],
  controlPlanes: readonly ControlPlaneFacts[],
  webhooks: readonly WebhookConfigurationFacts[] | undefined,
): readonly InjectedNamespace[] | undefined {
  const found = namespaces
    .filter(({name, terminating}) => !terminating && !ignored.includes(name))
    .map((namespace) => {
      const named = revisionLabel(namespace.labels);
      if (named === undefined) return {namespace, by: controlPlanes.find(({injectsByDefault}) => injectsByDefault)};
      const revision = webhooks?.find(({tag}) => tag === named)?.revision ?? named;
      const by = controlPlanes.find((one) => one.revision === revision);
      return {namespace, by, isUnknown: named !== '' && !by && webhooks === undefined};
    });
  if (found.some(({isUnknown}) => isUnknown)) return undefined;
  return found.flatMap(({namespace, by}) => (by ? [{namespace, by}] : []));
}

/**
 * The names of the namespaces that one control plane injects by their labels. If the webhooks are unknown, those that name a
 * revision tag are omitted.
 */
export function sidecarNamespaces(
  namespaces: readonly NamespaceFacts[],
  controlPlane: ControlPlaneFacts,
  webhooks: readonly WebhookConfigurationFacts[] = [],
): readonly string[] {
  return (injectedNamespaces(namespaces, [controlPlane], webhooks) ?? []).map(({namespace: {name}}) => name);
}

/**
 * The revision or tag that a namespace's labels name; empty if they turn injection off, undefined without one. The first label
 * takes precedence (istio/istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml).
 */
function revisionLabel({'istio-injection': injection, 'istio.io/rev': revision}: NamespaceFacts['labels']) {
  if (injection === undefined) return revision;
  return injection === 'enabled' ? defaultRevision : '';
}

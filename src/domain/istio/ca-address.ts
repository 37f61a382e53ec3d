/** The address from which a proxy requests its certificates: CA_ADDR (istio/istio pilot/cmd/pilot-agent/options/security.go). */

/** Reports whether two addresses are the same: with or without a scheme, `.svc`, and the domain of the cluster's DNS. */
export function isSameAddress(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

/**
 * Reports whether an address is that of an istiod of this namespace: by its Service, that of a revision or tag, istiod-remote
 * or (before 1.8) istio-pilot (istio/istio manifests/charts/istio-control/istio-discovery/templates/service.yaml).
 */
export function isIstiodAddress(address: string, namespace: string): boolean {
  const [service = '', ...rest] = hostOf(address).split('.');
  return rest.join('.') === namespace && /^(?:istiod(?:-[a-z0-9-]+)?|istio-pilot)$/.test(service);
}

/** The host of an address, without the suffixes of the cluster's DNS (kubernetes.io: concepts/services-networking/dns-pod-service). */
export function hostOf(address: string): string {
  return canonical(address).replace(/:\d+$/, '');
}

function canonical(address: string): string {
  const [, host = '', port = ''] = /^(?:[a-z]+:\/\/\/?)?(.*?)\.?(:\d+)?\/?$/.exec(address.trim().toLowerCase()) ?? [];
  return `${host.replace(/^([a-z0-9-]+\.[a-z0-9-]+)\.svc(?:\..+)?$/, '$1')}${port}`;
}

/**
 * The CA provider (values.global.caName, CA_PROVIDER) with the protocol of istiod and istio-csr (istio/istio
 * pilot/cmd/pilot-agent/options/options.go, CA_PROVIDER).
 */
export const istioCaProvider = 'Citadel';

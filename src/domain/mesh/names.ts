/** Rules for names, with their sources. Pure predicates; `parseClusterName` also explains what is wrong. */
import {MeshError} from '../errors.js';
import {advice, kubectlMesh, words} from '../suggest/suggestion.js';

/** An RFC 1123 label (kubernetes/apimachinery pkg/util/validation/validation.go, IsDNS1123Label). */
export const dnsLabelPattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** A description of {@link dnsLabelPattern} for messages. */
export const dnsLabelRule =
  'a DNS-1123 label: 1 to 63 of the characters a-z, 0-9 and "-", starting and ending with a letter or digit';

/** Labels joined by dots (kubernetes/apimachinery pkg/util/validation/validation.go, IsDNS1123Subdomain). */
const subdomainPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** The longest DNS-1123 subdomain. */
export const maxSubdomainLength = 253;

/** Reports whether a name is a DNS-1123 subdomain, as most objects' names are. */
export function isSubdomain(name: string): boolean {
  return name.length <= maxSubdomainLength && subdomainPattern.test(name);
}

/**
 * A non-empty Kubernetes label value. Istio's network ID must be one, because it is the value of the label
 * `topology.istio.io/network` (kubernetes/apimachinery pkg/util/validation/validation.go, IsValidLabelValue).
 */
export const labelValuePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A description of {@link labelValuePattern} for messages. */
export const labelValueRule =
  'a Kubernetes label value: 1 to 63 of the characters A-Z, a-z, 0-9, "-", "_" and ".", starting and ending with a letter or digit';

/**
 * A cluster ID of Istio. Istio does not restrict it; proxies send it as a gRPC header, so it is printable ASCII (istio/istio
 * security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go, clusterIDMeta). The first character rules out flags of tools.
 */
export const istioNamePattern = /^[A-Za-z0-9][!-~]{0,252}$/;

/** A description of {@link istioNamePattern} for messages. */
export const istioNameRule =
  "Istio's name of the cluster: 1 to 253 printable ASCII characters without spaces, starting with a letter or digit";

/** Labels joined by dots (istio/istio pkg/config/validation/agent/validation.go, ValidateTrustDomain). */
export const trustDomainPattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** Reports whether a cluster name is valid: it becomes a directory, a label value and, by default, Istio's clusterName. */
export function isClusterName(name: string): boolean {
  return dnsLabelPattern.test(name);
}

/**
 * Returns the name if it is a valid cluster name. Otherwise throws `INVALID_CLUSTER_NAME` with the reason: `../x` would
 * leave the work directory, `-f` would become a flag of a tool.
 */
export function parseClusterName(name: string): string {
  if (isClusterName(name)) return name;
  const suggestion = suggestName(name);
  throw new MeshError('INVALID_CLUSTER_NAME', `invalid cluster name ${JSON.stringify(name)}: ${explainInvalid(name)}`, {
    hints: [
      `a cluster name must be ${dnsLabelRule}`,
      ...(suggestion === undefined ? [] : [`did you mean ${JSON.stringify(suggestion)}?`]),
      ...(suggestion === undefined || !istioNamePattern.test(name)
        ? []
        : [
            advice`if the cluster has this name in Istio, keep it there: ${kubectlMesh('init', words`${suggestion} --istio-name ${suggestion}=${name}`)}`,
          ]),
    ],
  });
}

/** Returns why a name is not a valid cluster name. */
export function explainInvalid(name: string): string {
  if (name === '') return 'must not be empty';
  if (name.length > 63) return `must have at most 63 characters, has ${String(name.length)}`;
  if (/[^-a-z0-9]/.test(name)) {
    const bad = [...new Set(name.match(/[^-a-z0-9]/gu))].map((character) => JSON.stringify(character));
    return `must not contain ${bad.join(', ')}`;
  }
  return 'must not start or end with "-"';
}

/** Returns a valid cluster name that is similar to an invalid one; undefined if there is none. */
export function suggestName(name: string): string | undefined {
  const suggestion = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return isClusterName(suggestion) && suggestion.length > 1 ? suggestion : undefined;
}

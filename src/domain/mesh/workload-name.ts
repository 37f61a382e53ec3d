/** Who a workload is: the namespace and service account that its SPIFFE ID names. */
import {MeshError} from '../errors.js';
import {dnsLabelPattern, dnsLabelRule} from './names.js';

/** A workload's identity within a mesh. */
export interface WorkloadName {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Labels joined by dots (kubernetes/apimachinery pkg/util/validation/validation.go, IsDNS1123Subdomain). */
const subdomainPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const longestSubdomain = 253;

/**
 * Reads `NAMESPACE/SERVICEACCOUNT`. Throws `USAGE`: a name such as `../x` would leave the work directory, and one that
 * Kubernetes does not take can belong to nobody.
 */
export function parseWorkloadName(text: string): WorkloadName {
  const [namespace = '', serviceAccount = '', ...rest] = text.split('/');
  if (rest.length > 0 || namespace === '' || serviceAccount === '') {
    throw new MeshError('USAGE', `${JSON.stringify(text)} is not NAMESPACE/SERVICEACCOUNT`, {
      hints: ['For the account that a namespace has from the start: NAMESPACE/default'],
    });
  }
  if (!dnsLabelPattern.test(namespace)) {
    throw new MeshError('USAGE', `${JSON.stringify(namespace)} is not the name of a namespace`, {
      hints: [`a namespace has ${dnsLabelRule}`],
    });
  }
  if (serviceAccount.length > longestSubdomain || !subdomainPattern.test(serviceAccount)) {
    throw new MeshError('USAGE', `${JSON.stringify(serviceAccount)} is not the name of a service account`, {
      hints: [
        `a service account has at most ${String(longestSubdomain)} of a-z, 0-9, "-" and ".", each part starting and ending with a letter or digit`,
      ],
    });
  }
  return {namespace, serviceAccount};
}

/** The SPIFFE ID as istiod writes it (istio/istio pkg/spiffe/spiffe.go, Identity.String). */
export function spiffeIdOf(trustDomain: string, {namespace, serviceAccount}: WorkloadName): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

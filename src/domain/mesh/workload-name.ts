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
const maxSubdomainLength = 253;

/**
 * Reads `NAMESPACE/SERVICEACCOUNT`. Throws `USAGE`: a name such as `../x` would leave the work directory, and one that
 * Kubernetes does not take can belong to nobody.
 */
export function parseWorkloadName(text: string): WorkloadName {
  const [namespace = '', serviceAccount = '', ...rest] = text.split('/');
  const refuse = (word: string, what: string, hint: string): never => {
    throw new MeshError('USAGE', `${JSON.stringify(word)} is not ${what}`, {hints: [hint]});
  };
  if (rest.length > 0 || namespace === '' || serviceAccount === '') {
    const hint = 'For the account that a namespace has from the start: NAMESPACE/default';
    return refuse(text, 'NAMESPACE/SERVICEACCOUNT', hint);
  }
  if (!dnsLabelPattern.test(namespace)) {
    return refuse(namespace, 'the name of a namespace', `a namespace has ${dnsLabelRule}`);
  }
  if (serviceAccount.length > maxSubdomainLength || !subdomainPattern.test(serviceAccount)) {
    const hint = `a service account has at most ${String(maxSubdomainLength)} of a-z, 0-9, "-" and ".", each part starting and ending with a letter or digit`;
    return refuse(serviceAccount, 'the name of a service account', hint);
  }
  return {namespace, serviceAccount};
}

/** The SPIFFE ID as istiod writes it (istio/istio pkg/spiffe/spiffe.go, Identity.String). */
export function spiffeIdOf(trustDomain: string, {namespace, serviceAccount}: WorkloadName): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The name of a workload: the namespace and service account in its SPIFFE ID. */
import {MeshError} from '../errors.js';
import {dnsLabelPattern, dnsLabelRule, isSubdomain, maxSubdomainLength} from './names.js';

/** A workload's identity in a mesh. */
export interface WorkloadName {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Whether both names are valid: they become directories. */
export function isWorkloadName({namespace, serviceAccount}: WorkloadName): boolean {
  return dnsLabelPattern.test(namespace) && isSubdomain(serviceAccount);
}

/**
 * Parses `NAMESPACE/SERVICEACCOUNT`. Throws `USAGE`: a name such as `../x` would leave the work directory, and a name that
 * Kubernetes rejects cannot exist.
 */
export function parseWorkloadName(text: string): WorkloadName {
  const [namespace = '', serviceAccount = '', ...rest] = text.split('/');
  const fail = (what: string, value: string, rule: string, ...hints: readonly string[]): never => {
    throw new MeshError('USAGE', `invalid ${what} ${JSON.stringify(value)}: must be ${rule}`, {hints});
  };
  if (rest.length > 0 || namespace === '' || serviceAccount === '') {
    const hint = 'for the default service account of a namespace, use NAMESPACE/default';
    return fail('workload', text, 'NAMESPACE/SERVICEACCOUNT', hint);
  }
  if (!dnsLabelPattern.test(namespace)) return fail('namespace', namespace, dnsLabelRule);
  if (!isSubdomain(serviceAccount)) {
    const rule = `at most ${String(maxSubdomainLength)} of the characters a-z, 0-9, "-" and ".", with each part starting and ending with a letter or digit`;
    return fail('service account', serviceAccount, rule);
  }
  return {namespace, serviceAccount};
}

/** Returns the SPIFFE ID in istiod's format (istio/istio pkg/spiffe/spiffe.go, Identity.String). */
export function spiffeIdOf(trustDomain: string, {namespace, serviceAccount}: WorkloadName): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** Rules for names, each with the source that sets it. Pure predicates; `parseClusterName` also says what is wrong. */
import {MeshError} from '../errors.js';

/** RFC 1123 label as Kubernetes reads it (kubernetes/apimachinery pkg/util/validation/validation.go, IsDNS1123Label). */
export const dnsLabelPattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** What {@link dnsLabelPattern} means, for people. */
export const dnsLabelRule = '1 to 63 of a-z, 0-9 and "-", starting and ending with a letter or digit';

/**
 * A Kubernetes label value that is not empty. Istio's network ID is written to the label `topology.istio.io/network`
 * and must therefore be one (kubernetes/apimachinery pkg/util/validation/validation.go, IsValidLabelValue).
 */
export const labelValuePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** What {@link labelValuePattern} means, for people. */
export const labelValueRule =
  '1 to 63 of A-Z, a-z, 0-9, "-", "_" and ".", starting and ending with a letter or digit (a Kubernetes label value)';

/** Labels joined by dots (istio/istio pkg/config/validation/agent/validation.go, ValidateTrustDomain). */
export const trustDomainPattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** Whether the name may be a cluster's: it becomes a folder, a label value and Istio's clusterName. */
export function isClusterName(name: string): boolean {
  return dnsLabelPattern.test(name);
}

/**
 * The name, if it may be a cluster's. Throws `INVALID_CLUSTER_NAME` and says what is wrong with it: a name such as
 * `../x` would leave the work directory, one such as `-f` would become an option of a tool.
 */
export function parseClusterName(name: string): string {
  if (isClusterName(name)) return name;
  const suggestion = suggestName(name);
  throw new MeshError(
    'INVALID_CLUSTER_NAME',
    `${JSON.stringify(name)} is not a cluster name: ${explainInvalid(name)}`,
    {
      hints: [
        `a cluster name has ${dnsLabelRule}`,
        ...(suggestion === undefined ? [] : [`perhaps ${JSON.stringify(suggestion)}`]),
      ],
    },
  );
}

function explainInvalid(name: string): string {
  if (name === '') return 'it is empty';
  if (name.length > 63) return `it has ${String(name.length)} characters, 63 are allowed`;
  if (/[^-a-z0-9]/.test(name)) {
    const bad = [...new Set(name.match(/[^-a-z0-9]/gu))].map((character) => JSON.stringify(character));
    return `${bad.join(', ')} ${bad.length === 1 ? 'is' : 'are'} not allowed in it`;
  }
  return 'it starts or ends with "-"';
}

function suggestName(name: string): string | undefined {
  const suggestion = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return isClusterName(suggestion) && suggestion.length > 1 ? suggestion : undefined;
}

/** Control planes of other namespaces that write the same trust bundles as those of Istio's own namespace. */
import {canonicalCertificates} from '../../ca/canonical.js';
import type {
  ControlPlaneFacts,
  NamespaceFacts,
  OtherControlPlane,
  PushedTrust,
  WrittenBundle,
} from '../../facts/facts.js';
import {inspectWith, type Suggestion, words} from '../../suggest/suggestion.js';
import type {ClusterSubject} from '../check.js';
import {namespacesWithBundle} from './bundle-namespaces.js';

/** Another control plane, and the namespaces into which both write the same ConfigMap. */
export interface RivalWriter {
  readonly other: OtherControlPlane;
  readonly shared: readonly string[];
}

/** The other control planes that write into at least one namespace of ours. */
export function rivalWriters(
  namespaces: readonly NamespaceFacts[],
  controlPlanes: readonly ControlPlaneFacts[],
  others: readonly OtherControlPlane[],
): readonly RivalWriter[] {
  const names = new Set(controlPlanes.flatMap(({bundleName}) => bundleName ?? []));
  const own = namespacesWithBundle(namespaces, controlPlanes);
  return others
    .filter(({bundleName}) => bundleName !== undefined && names.has(bundleName))
    .map((other) => {
      const theirs = new Set(namespacesWithBundle(namespaces, [other]));
      return {other, shared: own.filter((namespace) => theirs.has(namespace))};
    })
    .filter(({shared}) => shared.length > 0);
}

/** Two istiods that replace each other's bundle do so many times a second; otherwise istiod writes it only if it changes. */
const justWrittenMs = 2 * 60_000;

/**
 * Whether the bundles show that the other control plane writes them: one is not the expected one, or has just been written. Both
 * are required of one that is only known by its Deployment: it may manage another cluster, and istiod itself writes a bundle when
 * it starts, and keeps an old one until it has loaded the pushed CA.
 */
export function isContested(
  {shared, other: {isWriting}}: RivalWriter,
  bundles: readonly WrittenBundle[],
  pushed: PushedTrust | undefined,
  now: Date,
): boolean {
  const written = bundles.filter(({namespace, text}) => text !== undefined && shared.includes(namespace));
  const [first] = written;
  const wanted = pushed?.bundle ?? first?.text;
  const isOther = ({text = ''}: WrittenBundle): boolean =>
    text !== wanted && !(pushed?.isCanonical === true && canonicalCertificates(text) === wanted);
  const isRecent = ({writtenAt}: WrittenBundle): boolean =>
    writtenAt !== undefined && Math.abs(now.getTime() - writtenAt.getTime()) < justWrittenMs;
  return written.some((one) => (isWriting ? isOther(one) || isRecent(one) : isOther(one) && isRecent(one)));
}

/** Shows the other control plane. Whether it is removed or serves other namespaces is the decision of its owner. */
export function showRival({other: {namespace}}: RivalWriter, {cluster}: ClusterSubject): Suggestion {
  return inspectWith.kubectl(cluster, words`-n ${namespace} get deployments,pods,configmaps --show-labels`);
}

/** The roots that a cluster currently trusts, and the rules for a bundle that drops one of them (docs/trust.md). Pure. */
import {type ErrorReport, problem} from '../errors.js';
import {isKnown, unknownsOf, valueOr} from '../observed.js';
import type {Certificate} from '../x509/certificate.js';
import {shortFingerprint} from '../keys/keys.js';
import type {CaInspection} from '../ca/inspect-ca.js';
import {isReadableBundle, missingRoots, readableRoots} from '../ca/trust-store.js';
import {advice, kubectlMesh, words} from '../suggest/suggestion.js';
import type {TrustObservation} from './cluster-trust.js';

/**
 * Returns the live roots of a cluster that a bundle would drop. If there are any, workloads must be checked. An expired root is
 * none: Go and BoringSSL verify nothing against it.
 */
export function droppedRoots(seen: TrustObservation, inspection: CaInspection): readonly Certificate[] {
  return missingRoots(liveRoots(seen), inspection.roots ?? []).filter(({notAfter}) => notAfter > seen.at);
}

function liveRoots(seen: TrustObservation): readonly Certificate[] {
  const cacerts = valueOr(seen.cacerts, 'absent');
  return [
    ...(cacerts === 'absent' ? [] : (cacerts.inspection.roots ?? [])),
    ...readableRoots(valueOr(seen.liveBundle, undefined)),
    // istiod's self-signed root is live only without cacerts (istio/istio pilot/pkg/bootstrap/istio_ca.go).
    ...(cacerts === 'absent' ? readableRoots(valueOr(seen.selfSigned, undefined)) : []),
  ];
}

/** Returns why a bundle's roots are refused, unless a root change is allowed. */
export function rootRefusals(inspection: CaInspection, seen: TrustObservation): readonly ErrorReport[] {
  const refuse = (why: string): readonly ErrorReport[] => [
    problem(
      'ROOT_CHANGE',
      why,
      advice`if the cluster belongs to a mesh that is managed elsewhere, copy that mesh here with: ${kubectlMesh('certs adopt', words`CONTEXT`)}`,
      'to replace the root, see docs/trust.md; with --allow-root-change, mTLS fails until every workload has renewed its certificate',
    ),
  ];
  const unreadable = unreadableLiveBundle(seen);
  if (unreadable !== undefined) {
    return refuse(`cannot parse ${unreadable}: this change might drop a live root`);
  }
  const dropped = droppedRoots(seen, inspection);
  // If the live roots are unknown, no root is known to be kept.
  if (dropped.length === 0) return inspection.roots ? unknownsOf(seen.liveBundle, seen.selfSigned).slice(0, 1) : [];
  const {workloads} = seen;
  if (!workloads) return [problem('INTERNAL', 'the workloads were not read')];
  const [first, ...others] = valueOr(workloads, []);
  if (first === undefined) return unknownsOf(workloads);
  const affected = others.length === 0 ? first : `${first} and ${String(others.length)} more`;
  return refuse(
    `this would replace the live ${names(dropped)} with ${names(inspection.roots ?? [])}: mTLS would fail for ${affected}`,
  );
}

/**
 * Returns where live roots cannot be parsed; undefined if they can. Without the ConfigMap that a running istiod writes, its
 * roots are those in cacerts, otherwise its self-signed root (istio/istio pilot/pkg/bootstrap/istio_ca.go).
 */
function unreadableLiveBundle(seen: TrustObservation): string | undefined {
  const live = valueOr(seen.liveBundle, undefined);
  if (live !== undefined) return isReadableBundle(live) ? undefined : 'the bundle in ConfigMap istio-ca-root-cert';
  if (!valueOr(seen.istiods, []).some(({readyPods}) => readyPods > 0)) return undefined;
  const cacerts = valueOr(seen.cacerts, 'absent');
  if (cacerts !== 'absent') {
    return isReadableBundle(cacerts.files.rootCert) ? undefined : 'root-cert.pem in Secret cacerts';
  }
  return isReadableBundle(valueOr(seen.selfSigned, undefined)) ? undefined : 'ca-cert.pem in Secret istio-ca-secret';
}

/** Returns the warnings for a root change that is not refused. */
export function rootWarnings(inspection: CaInspection, seen: TrustObservation): readonly string[] {
  const dropped = droppedRoots(seen, inspection);
  if (dropped.length === 0) return [];
  const added = missingRoots(inspection.roots ?? [], liveRoots(seen));
  const what =
    added.length === 0
      ? `live roots are dropped: ${names(dropped)}`
      : `root change: ${names(dropped)} is replaced by ${names(added)}`;
  const isUnused = seen.workloads && isKnown(seen.workloads) && seen.workloads.value.length === 0;
  return [isUnused === true ? `${what}; the cluster has no workloads that trust it` : what];
}

function names(roots: readonly Certificate[]): string {
  return roots.map(({subject, fingerprint}) => `root "${subject.text}" (${shortFingerprint(fingerprint)})`).join(', ');
}

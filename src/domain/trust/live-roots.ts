/** The roots that a cluster trusts now, and what speaks against a bundle that drops one of them (docs/trust.md). Pure. */
import {type ErrorReport, problem} from '../errors.js';
import {isKnown, unknownsOf, valueOr} from '../observed.js';
import type {Certificate} from '../x509/certificate.js';
import {shortFingerprint} from '../keys/keys.js';
import type {CaInspection} from '../ca/inspect-ca.js';
import {isReadableBundle, missingRoots, readableRoots} from '../ca/trust-store.js';
import type {TrustObservation} from './cluster-trust.js';

/** The live roots of a cluster that a bundle would drop: the question whether workloads exist hangs on it. */
export function droppedRoots(seen: TrustObservation, inspection: CaInspection): readonly Certificate[] {
  return missingRoots(liveRoots(seen), inspection.roots ?? []);
}

function liveRoots(seen: TrustObservation): readonly Certificate[] {
  const cacerts = valueOr(seen.cacerts, 'absent');
  return [
    ...(cacerts === 'absent' ? [] : (cacerts.inspection.roots ?? [])),
    ...readableRoots(valueOr(seen.liveBundle, undefined)),
    // istiod's own root is live where it is used: cacerts goes before it (istio/istio pilot/pkg/bootstrap/istio_ca.go).
    ...(cacerts === 'absent' ? readableRoots(valueOr(seen.selfSigned, undefined)) : []),
  ];
}

/** The reasons against the roots of a bundle, unless a root change was allowed. */
export function rootRefusals(inspection: CaInspection, seen: TrustObservation): readonly ErrorReport[] {
  const refuse = (why: string): readonly ErrorReport[] => [
    problem(
      'ROOT_CHANGE',
      why,
      'replace the root in phases, or say --allow-root-change: mTLS breaks until every workload has renewed',
    ),
  ];
  const unreadable = unreadableLiveBundle(seen);
  if (unreadable !== undefined) {
    return refuse(`${unreadable} cannot be read: whether this change drops a live root is unknown`);
  }
  const dropped = droppedRoots(seen, inspection);
  // What is live could not be read: then no root can be said to stay.
  if (dropped.length === 0) return inspection.roots ? unknownsOf(seen.liveBundle, seen.selfSigned).slice(0, 1) : [];
  const {workloads} = seen;
  if (!workloads) return [problem('INTERNAL', 'the workloads were not looked at')];
  const [first, ...others] = valueOr(workloads, []);
  if (first === undefined) return unknownsOf(workloads);
  const who = others.length === 0 ? first : `${first} and ${String(others.length)} more`;
  return refuse(
    `the bundle lacks ${names(dropped)}, which is live in this cluster: ${who} would stop trusting and being trusted`,
  );
}

/**
 * Where the live roots stand in a text that cannot be parsed; undefined where they can. Without the ConfigMap that a running
 * istiod writes, its roots are those that it loads: of cacerts, otherwise its own (istio/istio pilot/pkg/bootstrap/istio_ca.go).
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

/** What a root change means that nothing speaks against, or that was allowed. */
export function rootWarnings(inspection: CaInspection, seen: TrustObservation): readonly string[] {
  const dropped = droppedRoots(seen, inspection);
  if (dropped.length === 0) return [];
  const coming = missingRoots(inspection.roots ?? [], liveRoots(seen));
  const what =
    coming.length === 0
      ? `live roots go: ${names(dropped)}`
      : `another root: ${names(dropped)} is replaced by ${names(coming)}`;
  const nobody = seen.workloads && isKnown(seen.workloads) && seen.workloads.value.length === 0;
  return [nobody === true ? `${what}; no workload that trusts it was found in the cluster` : what];
}

function names(roots: readonly Certificate[]): string {
  return roots.map(({subject, fingerprint}) => `root "${subject.text}" (${shortFingerprint(fingerprint)})`).join(', ');
}

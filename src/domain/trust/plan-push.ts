/**
 * Decides, for one cluster, what pushing a cluster CA means: which write, what else has to happen, and what speaks
 * against it (docs/trust.md). Pure: facts in, decision out. `operations/trust` turns decisions into actions.
 */
import {defined} from '../defined.js';
import {networkLabel} from '../istio/names.js';
import {type ErrorReport, MeshError, reportError} from '../errors.js';
import {type Observed, isKnown} from '../observed.js';
import type {Certificate} from '../x509/certificate.js';
import {shortFingerprint} from '../keys/fingerprint.js';
import type {CaInspection} from '../ca/inspect-ca.js';
import {advice, type Hint} from '../suggest/advice.js';
import {kubectlMesh, words} from '../suggest/suggestion.js';
import type {CacertsSecret} from './cacerts.js';
import {isReadableBundle, missingRoots, readableRoots} from '../ca/trust-store.js';
import {compareCa, type Difference, type OwnCa} from './diff.js';
import type {NamespaceSeen, TrustSeen} from './facts.js';
import {stuckIstiods, type IstiodSeen} from './istiod.js';
import {decideCrl, type CrlDecision} from './revocation.js';

/** Flags that override one refusal each. */
export interface PushRules {
  /** `--allow-root-change` */
  readonly allowRootChange: boolean;
  /** `--restart-istiod` */
  readonly restartIstiod: boolean;
  /** `--allow-invalid-bundle` */
  readonly allowInvalidBundle: boolean;
}

/** What is to be in a cluster. */
export interface PushTarget {
  readonly cluster: string;
  readonly namespace: string;
  /** Istio's network, where it is declared: the namespace's label. */
  readonly network?: string | undefined;
  readonly own: OwnCa;
  /** The wanted CA is one that the cluster kept (rollback), not the work directory's. */
  readonly kept?: boolean;
  /** How the wanted CA is called in messages: `cluster1/ca-cert.pem`. */
  readonly what: string;
  /** The CA is in place, but a running istiod presents another one: the rest of a run that ended early. */
  readonly unfinished?: boolean;
  /** Why the wanted CA is another cluster's (`misplacement`). */
  readonly misplaced?: string | undefined;
}

/**
 * - `create`: there is no Secret yet
 * - `update`: the Secret is replaced whole at the version that was seen, or patched where the key is not at hand
 * - `replace`: deleted and created, because its type or `immutable` forbids an update
 */
export type PushKind = 'create' | 'update' | 'replace' | 'unchanged' | 'refuse';

/** What is to be done in one cluster. */
export interface PushDecision {
  readonly kind: PushKind;
  readonly differences: readonly Difference[];
  readonly namespace: 'keep' | 'create' | 'label';
  /** The label that another network has now; set when labelling changes one. */
  readonly otherNetwork?: string;
  /** How the Secret is written; absent when it is not. */
  readonly write?: 'create' | 'put' | 'patch' | 'delete-and-create';
  /** Whether what is there now is kept as `cacerts-previous`. */
  readonly keepPrevious: boolean;
  /** istiods to restart after the write. */
  readonly restart: readonly IstiodSeen[];
  /** Whether a running istiod can show that it loaded the change. */
  readonly prove: boolean;
  /** Whether a control plane that runs now will notice: such a change goes to one cluster first. */
  readonly changesLiveTrust: boolean;
  /** Live roots that go, with what is known of the workloads that trust them. */
  readonly droppedRoots: readonly Certificate[];
  readonly refusals: readonly ErrorReport[];
  readonly warnings: readonly string[];
}

/** The live roots of a cluster that a bundle would drop: the question whether workloads exist hangs on it. */
export function droppedRoots(seen: TrustSeen, inspection: CaInspection): readonly Certificate[] {
  return missingRoots(liveRoots(seen), inspection.roots ?? []);
}

function liveRoots(seen: TrustSeen): readonly Certificate[] {
  const cacerts = valueOr(seen.cacerts, 'absent');
  return [
    ...(cacerts === 'absent' ? [] : (cacerts.inspection.roots ?? [])),
    ...readableRoots(valueOr(seen.liveBundle, undefined)),
    // istiod's own root is live where it is used: cacerts goes before it (istio/istio pilot/pkg/bootstrap/istio_ca.go).
    ...(cacerts === 'absent' ? readableRoots(valueOr(seen.selfSigned, undefined)) : []),
  ];
}

/** Decides for one cluster. */
export function decidePush(target: PushTarget, seen: TrustSeen, rules: PushRules): PushDecision {
  const unreadable = firstUnknown([seen.uid, seen.cacerts]);
  if (unreadable) return refuse([unreadable]);
  const cacerts = valueOr(seen.cacerts, 'absent');
  const namespace = decideNamespace(target, seen);
  if (namespace.refusal) return refuse([namespace.refusal]);
  const differences = compareCa(target.own, cacerts);
  const base = {
    differences,
    namespace: namespace.action,
    ...(namespace.otherNetwork === undefined ? {} : {otherNetwork: namespace.otherNetwork}),
  };
  if (differences.length > 0 || cacerts === 'absent') {
    return {...base, ...decideChange(target, seen, cacerts, rules)};
  }
  const warnings = [
    ...bundleWarnings(target),
    ...crlWarnings(decideCrl(target, seen, cacerts)),
    ...keeperWarnings(cacerts),
  ];
  const unchanged: PushDecision = {...nothing, ...base, kind: 'unchanged', warnings};
  return isLoaded(seen, cacerts) && target.unfinished !== true
    ? unchanged
    : {...unchanged, ...decideLoading(target, seen, cacerts, rules)};
}

/** Whether a cluster needs nothing: the Secret is as wanted, and no running istiod shows another bundle. */
export function isInPlace(own: OwnCa, seen: TrustSeen): boolean {
  const cacerts = valueOr(seen.cacerts, 'absent');
  return cacerts !== 'absent' && compareCa(own, cacerts).length === 0 && isLoaded(seen, cacerts);
}

/**
 * Whether no running istiod is known to show another bundle than the Secret's. A run that ended between its write and
 * its restart or its proof leaves such a cluster behind, and so does a Secret that came after istiod had started.
 */
function isLoaded(seen: TrustSeen, cacerts: CacertsSecret): boolean {
  const live = valueOr(seen.liveBundle, undefined);
  const running = valueOr(seen.istiods, []).some(({readyPods}) => readyPods > 0);
  return !running || live === undefined || live === cacerts.files.rootCert;
}

/** The rest of a change whose write is done: the restart, and the proof. */
function decideLoading(
  target: PushTarget,
  seen: TrustSeen,
  cacerts: CacertsSecret,
  rules: PushRules,
): Partial<PushDecision> {
  const {own} = target;
  // The same roots may stand in other bytes, and istiod shows the bytes of the Secret.
  const loading = {...target, own: {...own, files: {...own.files, rootCert: cacerts.files.rootCert}}};
  const dropped = droppedRoots(seen, own.inspection);
  const istiods = decideIstiods(loading, seen, cacerts, rules);
  const refusals = distinct([...rootRefusals(loading, seen, dropped, rules), ...istiods.refusals]);
  if (refusals.length > 0) return {kind: 'refuse', refusals};
  return {restart: istiods.restart, prove: true, changesLiveTrust: true, droppedRoots: dropped};
}

const nothing = {
  differences: [],
  namespace: 'keep',
  keepPrevious: false,
  restart: [],
  prove: false,
  changesLiveTrust: false,
  droppedRoots: [],
  refusals: [],
  warnings: [],
} as const satisfies Partial<PushDecision>;

function refuse(refusals: readonly ErrorReport[]): PushDecision {
  return {...nothing, kind: 'refuse', refusals};
}

function decideChange(
  target: PushTarget,
  seen: TrustSeen,
  cacerts: CacertsSecret | 'absent',
  rules: PushRules,
): Omit<PushDecision, 'differences' | 'namespace'> {
  const dropped = droppedRoots(seen, target.own.inspection);
  const write = decideWrite(target, cacerts, seen.previous);
  const istiods = decideIstiods(target, seen, cacerts, rules);
  const bundle = bundleRefusals(target, rules);
  // Without the files there is nothing to judge against the cluster.
  if (bundle[0]?.code === 'FILE_MISSING') return refuse(bundle);
  const crl = decideCrl(target, seen, cacerts);
  const refusals = distinct([
    ...bundle,
    ...(rules.allowInvalidBundle ? [] : crl.refusals),
    ...(typeof write === 'object' ? [write] : []),
    ...rootRefusals(target, seen, dropped, rules),
    ...istiods.refusals,
    ...(cacerts === 'absent' ? [] : unknownOf(seen.previous)),
  ]);
  const holdsRoot = cacerts !== 'absent' && holdsOwnRootKey(cacerts, target.own.inspection);
  return defined({
    kind: refusals.length > 0 ? 'refuse' : kindOf(write, cacerts),
    write: typeof write === 'string' ? write : undefined,
    keepPrevious: cacerts !== 'absent' && Object.keys(cacerts.data).length > 0 && !holdsRoot,
    restart: istiods.restart,
    prove: istiods.running,
    changesLiveTrust: cacerts !== 'absent' || istiods.running,
    droppedRoots: dropped,
    refusals,
    warnings: [
      ...(refusals.length === 0 ? bundleWarnings(target) : []),
      ...(refusals.length === 0 ? crlWarnings(crl) : []),
      ...keeperWarnings(cacerts),
      ...istiods.warnings,
      ...(holdsRoot ? [`the Secret held the root's private key: it is not kept as cacerts-previous`] : []),
      ...(refusals.length === 0 ? rootWarnings(target, seen, dropped) : []),
    ],
  });
}

function kindOf(write: ReturnType<typeof decideWrite>, cacerts: CacertsSecret | 'absent'): PushKind {
  if (cacerts === 'absent') return 'create';
  return write === 'delete-and-create' ? 'replace' : 'update';
}

/** Which write, or why none is possible. */
function decideWrite(
  {own, cluster}: PushTarget,
  cacerts: CacertsSecret | 'absent',
  previous: TrustSeen['previous'],
): NonNullable<PushDecision['write']> | ErrorReport {
  const keyAtHand = own.files.caKey !== undefined;
  if (cacerts === 'absent') {
    if (keyAtHand) return 'create';
    const hints =
      valueOr(previous, 'absent') === 'absent'
        ? []
        : [advice`bring the CA back that Secret cacerts-previous keeps: ${kubectlMesh('trust rollback', [cluster])}`];
    return keyMissing(cluster, 'and the cluster has no Secret with it', hints);
  }
  if (!keyAtHand && cacerts.inspection.key?.spki !== own.inspection.certificate?.spki) {
    return keyMissing(cluster, 'and the key in the cluster is of another cluster CA');
  }
  // The type of a Secret and everything in an immutable one cannot be changed (kubernetes.io: Secrets).
  if (cacerts.immutable || cacerts.type !== 'Opaque') return 'delete-and-create';
  if (keyAtHand) return 'put';
  return cacerts.files.layout === 'tls' ? 'delete-and-create' : 'patch';
}

function keyMissing(cluster: string, why: string, hints: readonly Hint[] = []): ErrorReport {
  return report('FILE_MISSING', `${cluster}/ca-key.pem is not there, ${why}`, [
    ...hints,
    advice`bring the key back, or make a new cluster CA: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`,
  ]);
}

function bundleRefusals(target: PushTarget, rules: PushRules): readonly ErrorReport[] {
  const {own, what, cluster, kept = false, misplaced} = target;
  const {caCert, rootCert, certChain} = own.files;
  const missing = Object.entries({'ca-cert.pem': caCert, 'root-cert.pem': rootCert, 'cert-chain.pem': certChain})
    .filter(([, text]) => text === undefined)
    .map(([name]) => `${cluster}/${name}`);
  if (missing.length > 0 && !kept) {
    return [
      report('FILE_MISSING', `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not there`, [
        advice`make them: ${kubectlMesh('certs generate', [cluster])}`,
      ]),
    ];
  }
  const errors = own.inspection.findings.filter(
    ({severity, id}) => severity === 'error' && (kept || id !== 'incomplete'),
  );
  const first = errors[0];
  if (rules.allowInvalidBundle) return [];
  if (misplaced !== undefined) {
    return [
      report('PUSH_REFUSED_INVALID_CA', `${what}: ${misplaced}`, [
        ...(kept
          ? []
          : [
              advice`if directories changed places, move them back: ${kubectlMesh('verify', words`--offline`)} says how`,
            ]),
        'write it as it is with --allow-invalid-bundle',
      ]),
    ];
  }
  if (!first) return [];
  return [
    report('PUSH_REFUSED_INVALID_CA', `${what}: ${first.message}`, [
      ...errors.slice(1).map(({message}) => message),
      ...(kept ? [] : [advice`make a new cluster CA: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`]),
      'write it as it is with --allow-invalid-bundle',
    ]),
  ];
}

/** What is wrong with a bundle that is in the cluster, or goes there. */
function bundleWarnings({own, what, misplaced}: PushTarget): readonly string[] {
  const findings = own.inspection.findings.filter(({id}) => id !== 'incomplete').map(({message}) => message);
  return [...(misplaced === undefined ? [] : [misplaced]), ...findings].map((message) => `${what}: ${message}`);
}

/** What speaks against revocation lists where that does not keep them from being written, or where they stay anyway. */
function crlWarnings({refusals, warnings}: CrlDecision): readonly string[] {
  return [...warnings, ...refusals.map(({message}) => message)];
}

function rootRefusals(
  {own}: PushTarget,
  seen: TrustSeen,
  dropped: readonly Certificate[],
  rules: PushRules,
): readonly ErrorReport[] {
  if (rules.allowRootChange) return [];
  const hint = 'replace the root in phases, or say --allow-root-change: mTLS breaks until every workload has renewed';
  const unreadable = unreadableLiveBundle(seen);
  if (unreadable !== undefined) {
    const why = `${unreadable} cannot be read: whether this change drops a live root is unknown`;
    return [report('ROOT_CHANGE', why, [hint])];
  }
  if (dropped.length === 0) {
    // What is live could not be read: then no root can be said to stay.
    const unread = firstUnknown([seen.liveBundle, seen.selfSigned]);
    return unread && own.inspection.roots ? [unread] : [];
  }
  const workloads = seen.workloads;
  if (!workloads) return [report('INTERNAL', 'the workloads were not looked at', [])];
  if (!isKnown(workloads)) return [workloads.unknown];
  const [first] = workloads.value;
  if (first === undefined) return [];
  const more = workloads.value.length - 1;
  const who = more === 0 ? first : `${first} and ${String(more)} more`;
  return [
    report(
      'ROOT_CHANGE',
      `the bundle lacks ${names(dropped)}, which is live in this cluster: ${who} would stop trusting and being trusted`,
      [hint],
    ),
  ];
}

/**
 * Where the live roots stand in a text that cannot be parsed; undefined where they can. Without the ConfigMap that a running
 * istiod writes, its roots are those that it loads: of cacerts, otherwise its own (istio/istio pilot/pkg/bootstrap/istio_ca.go).
 */
function unreadableLiveBundle(seen: TrustSeen): string | undefined {
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
function rootWarnings({own}: PushTarget, seen: TrustSeen, dropped: readonly Certificate[]): readonly string[] {
  if (dropped.length === 0) return [];
  const coming = missingRoots(own.inspection.roots ?? [], liveRoots(seen));
  const what =
    coming.length === 0
      ? `live roots go: ${names(dropped)}`
      : `another root: ${names(dropped)} is replaced by ${names(coming)}`;
  const nobody = seen.workloads && isKnown(seen.workloads) && seen.workloads.value.length === 0;
  return [nobody === true ? `${what}; no workload that trusts it was found in the cluster` : what];
}

interface IstiodDecision {
  readonly running: boolean;
  readonly restart: readonly IstiodSeen[];
  readonly refusals: readonly ErrorReport[];
  readonly warnings: readonly string[];
}

function decideIstiods(
  {own}: PushTarget,
  seen: TrustSeen,
  cacerts: CacertsSecret | 'absent',
  rules: PushRules,
): IstiodDecision {
  if (!isKnown(seen.istiods)) return {running: false, restart: [], warnings: [], refusals: [seen.istiods.unknown]};
  const istiods = seen.istiods.value;
  const running = istiods.filter(({readyPods}) => readyPods > 0);
  const asleep = istiods.filter(({readyPods}) => readyPods === 0);
  const warnings = asleep.map(({name}) => `Deployment ${name} has no ready pod: it reads the CA when it starts`);
  if (running.length === 0) return {running: false, restart: [], warnings, refusals: []};
  const unread = firstUnknown([seen.liveBundle, seen.selfSigned]);
  if (unread) return {running: true, restart: [], warnings, refusals: [unread]};
  const stuck = stuckIstiods({
    istiods: running,
    cacerts,
    newBundle: own.files.rootCert ?? '',
    liveBundle: valueOr(seen.liveBundle, undefined),
    selfSigned: valueOr(seen.selfSigned, undefined),
  });
  const notes = running.flatMap(({version}) => (version.note === undefined ? [] : [version.note]));
  const [first] = stuck;
  if (!first || rules.restartIstiod) {
    return {running: true, restart: stuck.map(({istiod}) => istiod), warnings: [...warnings, ...notes], refusals: []};
  }
  const error = report('RESTART_NEEDED', `Deployment ${first.istiod.name} would not load the change: ${first.reason}`, [
    'say --restart-istiod to restart it in this run and wait for it',
  ]);
  return {running: true, restart: [], warnings, refusals: [error]};
}

function decideNamespace(
  {namespace, network}: PushTarget,
  seen: TrustSeen,
): {action: PushDecision['namespace']; otherNetwork?: string; refusal?: ErrorReport} {
  if (!isKnown(seen.namespace)) {
    // Whether it exists shows when the Secret is written; its label matters only where the network is declared.
    return network === undefined ? {action: 'keep'} : {action: 'keep', refusal: seen.namespace.unknown};
  }
  const found: NamespaceSeen | 'absent' = seen.namespace.value;
  if (found === 'absent') return {action: 'create'};
  if (found.terminating) {
    return {
      action: 'keep',
      refusal: report('NOT_READY', `namespace ${namespace} is being deleted`, [
        'wait until it is gone, then run again',
      ]),
    };
  }
  const label = found.labels[networkLabel];
  if (network === undefined || label === network) return {action: 'keep'};
  return defined({action: 'label', otherNetwork: label});
}

/** A key that signs for a root must not be copied further. */
function holdsOwnRootKey(cacerts: CacertsSecret, own: CaInspection): boolean {
  const key = cacerts.inspection.key?.spki;
  return key !== undefined && (own.roots ?? []).some(({spki}) => spki === key);
}

function keeperWarnings(cacerts: CacertsSecret | 'absent'): readonly string[] {
  if (cacerts === 'absent' || cacerts.keeper === undefined) return [];
  return [`Secret cacerts is kept by ${cacerts.keeper}, which will put its own content back`];
}

function names(roots: readonly Certificate[]): string {
  return roots.map(({subject, fingerprint}) => `root "${subject.text}" (${shortFingerprint(fingerprint)})`).join(', ');
}

function report(
  code: ConstructorParameters<typeof MeshError>[0],
  message: string,
  hints: readonly Hint[],
): ErrorReport {
  return reportError(new MeshError(code, message, {hints}));
}

/** Two rules may refuse for the same reason: that a fact is unknown. */
function distinct(refusals: readonly ErrorReport[]): readonly ErrorReport[] {
  return [...new Set(refusals)];
}

function firstUnknown(facts: readonly Observed<unknown>[]): ErrorReport | undefined {
  return facts.flatMap(unknownOf)[0];
}

function unknownOf(fact: Observed<unknown>): readonly ErrorReport[] {
  return isKnown(fact) ? [] : [fact.unknown];
}

function valueOr<T>(fact: Observed<T>, otherwise: T): T {
  return isKnown(fact) ? fact.value : otherwise;
}

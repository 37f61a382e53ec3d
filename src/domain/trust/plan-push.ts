/**
 * Decides, for one cluster, what pushing a cluster CA means: which write, what else has to happen, and what speaks
 * against it (docs/trust.md). Pure: facts in, decision out. `operations/trust` turns decisions into actions.
 */
import {defined} from '../defined.js';
import {networkLabel} from '../istio/names.js';
import {type ErrorReport, problem} from '../errors.js';
import {isKnown, unknownsOf, valueOr} from '../observed.js';
import type {Certificate} from '../x509/certificate.js';
import {caFileNames} from '../ca/ca-files.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {type CacertsSecret, isChangeable} from './cacerts.js';
import {compareCa, type Difference, type OwnCa} from './diff.js';
import type {TrustObservation} from './cluster-trust.js';
import {stuckIstiods, type IstiodObservation} from './istiod.js';
import {droppedRoots, rootRefusals, rootWarnings} from './live-roots.js';
import {allowInvalid, decideCrl} from './revocation.js';

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
  readonly isRollback?: boolean;
  /** How the wanted CA is called in messages: `cluster1/ca-cert.pem`. */
  readonly what: string;
  /** The CA is in place, but a running istiod presents another one: the rest of a run that ended early. */
  readonly pendingReload?: boolean;
  /** Why the wanted CA is another cluster's (`misplacement`). */
  readonly wrongCluster?: string | undefined;
}

/**
 * - `create`: there is no Secret yet
 * - `update`: the Secret is replaced whole at the version that was seen, or patched where the key is not at hand
 * - `replace`: deleted and created, because its type or `immutable` forbids an update
 */
export type PushKind = 'create' | 'update' | 'replace' | 'unchanged' | 'refuse';

type SecretWrite = 'create' | 'put' | 'patch' | 'delete-and-create';

/** What is to be done in one cluster. */
export interface PushDecision {
  readonly kind: PushKind;
  readonly differences: readonly Difference[];
  readonly namespace: 'keep' | 'create' | 'label';
  /** The label that another network has now; set when labelling changes one. */
  readonly otherNetwork?: string;
  /** How the Secret is written; absent when it is not. */
  readonly write?: SecretWrite;
  /** Whether what is there now is kept as `cacerts-previous`. */
  readonly keepPrevious: boolean;
  /** istiods to restart after the write. */
  readonly restart: readonly IstiodObservation[];
  /** Whether a running istiod can show that it loaded the change. */
  readonly prove: boolean;
  /** Whether a control plane that runs now will notice: such a change goes to one cluster first. */
  readonly changesLiveTrust: boolean;
  /** Live roots that go, with what is known of the workloads that trust them. */
  readonly droppedRoots: readonly Certificate[];
  readonly refusals: readonly ErrorReport[];
  readonly warnings: readonly string[];
}

/** What is decided with. */
interface Push {
  readonly target: PushTarget;
  readonly seen: TrustObservation;
  readonly cacerts: CacertsSecret | 'absent';
  readonly rules: PushRules;
}

const nothing: PushDecision = {
  kind: 'refuse',
  differences: [],
  namespace: 'keep',
  keepPrevious: false,
  restart: [],
  prove: false,
  changesLiveTrust: false,
  droppedRoots: [],
  refusals: [],
  warnings: [],
};

/** Decides for one cluster. */
export function decidePush(target: PushTarget, seen: TrustObservation, rules: PushRules): PushDecision {
  const {refusal, ...namespace} = decideNamespace(target, seen);
  const [unknown = refusal] = unknownsOf(seen.uid, seen.cacerts);
  if (unknown) return {...nothing, refusals: [unknown]};
  const cacerts = valueOr(seen.cacerts, 'absent');
  const differences = compareCa(target.own, cacerts);
  const push = {target, seen, cacerts, rules};
  const base = {...nothing, ...namespace, differences};
  if (cacerts === 'absent' || differences.length > 0) return decideChange(base, push);
  const unchanged = {
    ...base,
    kind: 'unchanged',
    warnings: [...bundleWarnings(push), ...managerWarnings(push)],
  } as const;
  return isLoaded(seen, cacerts) && target.pendingReload !== true ? unchanged : decideReload(unchanged, push, cacerts);
}

/** Whether a cluster needs nothing: the Secret is as wanted, and no running istiod shows another bundle. */
export function isInPlace(own: OwnCa, seen: TrustObservation): boolean {
  const cacerts = valueOr(seen.cacerts, 'absent');
  return cacerts !== 'absent' && compareCa(own, cacerts).length === 0 && isLoaded(seen, cacerts);
}

/**
 * Whether no running istiod is known to show another bundle than the Secret's. A run that ended between its write and
 * its restart or its proof leaves such a cluster behind, and so does a Secret that came after istiod had started.
 */
function isLoaded(seen: TrustObservation, cacerts: CacertsSecret): boolean {
  const live = valueOr(seen.liveBundle, undefined);
  const running = valueOr(seen.istiods, []).some(({readyPods}) => readyPods > 0);
  return !running || live === undefined || live === cacerts.files.rootCert;
}

/** The rest of a change whose write is done: the restart, and the proof. */
function decideReload(unchanged: PushDecision, push: Push, cacerts: CacertsSecret): PushDecision {
  const {inspection} = push.target.own;
  // The same roots may stand in other bytes, and istiod shows the bytes of the Secret.
  const {restart, refusals: ofIstiods} = decideIstiods(push, cacerts.files.rootCert);
  const refusals = [...new Set([...decideRoots(push), ...ofIstiods])];
  if (refusals.length > 0) return {...unchanged, kind: 'refuse', refusals};
  const dropped = droppedRoots(push.seen, inspection);
  return {...unchanged, restart, prove: true, changesLiveTrust: true, droppedRoots: dropped};
}

function decideChange(base: PushDecision, push: Push): PushDecision {
  const {target, seen, cacerts, rules} = push;
  const {own} = target;
  const bundle = bundleRefusals(target, rules);
  // Without the files there is nothing to judge against the cluster.
  if (bundle[0]?.code === 'FILE_MISSING') return {...nothing, refusals: bundle};
  const write = decideWrite(push);
  const istiods = decideIstiods(push, own.files.rootCert);
  // Two rules may refuse for the same reason: that a fact is unknown.
  const refusals = new Set([
    ...bundle,
    ...(rules.allowInvalidBundle ? [] : decideCrl(target, seen, cacerts).refusals),
    ...(typeof write === 'object' ? [write] : []),
    ...decideRoots(push),
    ...istiods.refusals,
    ...(cacerts === 'absent' ? [] : unknownsOf(seen.previous)),
  ]);
  const isRefused = refusals.size > 0;
  // A key that signs for a root must not be copied again.
  const key = cacerts === 'absent' ? undefined : cacerts.inspection.key?.spki;
  const holdsRoot = key !== undefined && own.inspection.roots?.some(({spki}) => spki === key) === true;
  const kind = cacerts === 'absent' ? 'create' : write === 'delete-and-create' ? 'replace' : 'update';
  return defined({
    ...base,
    kind: isRefused ? 'refuse' : kind,
    write: typeof write === 'string' ? write : undefined,
    keepPrevious: cacerts !== 'absent' && Object.keys(cacerts.data).length > 0 && !holdsRoot,
    restart: istiods.restart,
    prove: istiods.running,
    changesLiveTrust: cacerts !== 'absent' || istiods.running,
    droppedRoots: droppedRoots(seen, own.inspection),
    refusals: [...refusals],
    warnings: [
      ...(isRefused ? [] : bundleWarnings(push)),
      ...managerWarnings(push),
      ...istiods.warnings,
      ...(holdsRoot ? [`the Secret held the root's private key: it is not kept as cacerts-previous`] : []),
      ...(isRefused ? [] : rootWarnings(own.inspection, seen)),
    ],
  });
}

/** Which write, or why none is possible. */
function decideWrite({target: {own, cluster}, seen, cacerts}: Push): SecretWrite | ErrorReport {
  const keyAtHand = own.files.caKey !== undefined;
  const keyMissing = (why: string, ...hints: readonly Hint[]): ErrorReport =>
    problem(
      ...(['FILE_MISSING', `${cluster}/ca-key.pem is not there, ${why}`, ...hints] as const),
      advice`bring the key back, or make a new cluster CA: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`,
    );
  if (cacerts === 'absent') {
    if (keyAtHand) return 'create';
    const kept = advice`bring the CA back that Secret cacerts-previous keeps: ${kubectlMesh('trust rollback', [cluster])}`;
    const hints = valueOr(seen.previous, 'absent') === 'absent' ? [] : [kept];
    return keyMissing('and the cluster has no Secret with it', ...hints);
  }
  if (!keyAtHand && cacerts.inspection.key?.spki !== own.inspection.certificate?.spki) {
    return keyMissing('and the key in the cluster is of another cluster CA');
  }
  if (!isChangeable(cacerts)) return 'delete-and-create';
  if (keyAtHand) return 'put';
  return cacerts.files.layout === 'tls' ? 'delete-and-create' : 'patch';
}

function bundleRefusals(target: PushTarget, {allowInvalidBundle}: PushRules): readonly ErrorReport[] {
  const {own, what, cluster, isRollback: kept = false, wrongCluster: misplaced} = target;
  const missing = (['caCert', 'rootCert', 'certChain'] as const)
    .filter((part) => own.files[part] === undefined)
    .map((part) => `${cluster}/${caFileNames[part]}`);
  if (missing.length > 0 && !kept) {
    const message = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not there`;
    return [problem('FILE_MISSING', message, advice`make them: ${kubectlMesh('certs generate', [cluster])}`)];
  }
  const errors = own.inspection.findings.filter(
    ({severity, id}) => severity === 'error' && (kept || id !== 'incomplete'),
  );
  const [first, ...others] = misplaced === undefined ? errors.map(({message}) => message) : [misplaced];
  if (allowInvalidBundle || first === undefined) return [];
  const mend =
    misplaced === undefined
      ? advice`make a new cluster CA: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`
      : advice`if directories changed places, move them back: ${kubectlMesh('verify', words`--offline`)} says how`;
  const hints = [...others, ...(kept ? [] : [mend]), allowInvalid];
  return [problem('PUSH_REFUSED_INVALID_CA', `${what}: ${first}`, ...hints)];
}

/**
 * What is wrong with a bundle that is in the cluster, or goes there; and what speaks against revocation lists where that does
 * not keep them from being written, or where they stay anyway.
 */
function bundleWarnings({target, seen, cacerts}: Push): readonly string[] {
  const {own, what, wrongCluster: misplaced} = target;
  const findings = own.inspection.findings.filter(({id}) => id !== 'incomplete').map(({message}) => message);
  const {warnings, refusals} = decideCrl(target, seen, cacerts);
  return [
    ...[...(misplaced === undefined ? [] : [misplaced]), ...findings].map((message) => `${what}: ${message}`),
    ...warnings,
    ...refusals.map(({message}) => message),
  ];
}

function managerWarnings({cacerts}: Push): readonly string[] {
  if (cacerts === 'absent' || cacerts.managedBy === undefined) return [];
  return [`Secret cacerts is kept by ${cacerts.managedBy}, which will put its own content back`];
}

function decideRoots({target, seen, rules}: Push): readonly ErrorReport[] {
  return rules.allowRootChange ? [] : rootRefusals(target.own.inspection, seen);
}

/** What becomes of istiods that are to load a bundle. */
function decideIstiods(
  {seen, cacerts, rules}: Push,
  newBundle = '',
): Pick<PushDecision, 'restart' | 'refusals' | 'warnings'> & {readonly running: boolean} {
  const istiods = valueOr(seen.istiods, []);
  const running = istiods.filter(({readyPods}) => readyPods > 0);
  const warnings = istiods
    .filter(({readyPods}) => readyPods === 0)
    .map(({name}) => `Deployment ${name} has no ready pod: it reads the CA when it starts`);
  const base = {running: running.length > 0, restart: [], warnings, refusals: unknownsOf(seen.istiods)};
  if (running.length === 0) return base;
  const [unread] = unknownsOf(seen.liveBundle, seen.selfSigned);
  if (unread) return {...base, refusals: [unread]};
  const [liveBundle, selfSigned] = [valueOr(seen.liveBundle, undefined), valueOr(seen.selfSigned, undefined)];
  const stuck = stuckIstiods({istiods: running, cacerts, newBundle, liveBundle, selfSigned});
  const [first] = stuck;
  if (!first || rules.restartIstiod) {
    const notes = running.flatMap(({version: {note}}) => note ?? []);
    return {...base, restart: stuck.map(({istiod}) => istiod), warnings: [...warnings, ...notes]};
  }
  const refusal = problem(
    'RESTART_NEEDED',
    `Deployment ${first.istiod.name} would not load the change: ${first.reason}`,
    'say --restart-istiod to restart it in this run and wait for it',
  );
  return {...base, refusals: [refusal]};
}

function decideNamespace(
  {namespace, network}: PushTarget,
  seen: TrustObservation,
): Pick<PushDecision, 'namespace' | 'otherNetwork'> & {readonly refusal?: ErrorReport} {
  const keep = {namespace: 'keep'} as const;
  // Whether it exists shows when the Secret is written; its label matters only where the network is declared.
  if (!isKnown(seen.namespace)) return network === undefined ? keep : {...keep, refusal: seen.namespace.unknown};
  const found = seen.namespace.value;
  if (found === 'absent') return {namespace: 'create'};
  if (found.metadata.deletionTimestamp !== undefined) {
    const hint = 'wait until it is gone, then run again';
    return {...keep, refusal: problem('NOT_READY', `namespace ${namespace} is being deleted`, hint)};
  }
  const label = found.metadata.labels?.[networkLabel];
  return network === undefined || label === network ? keep : defined({namespace: 'label', otherNetwork: label});
}

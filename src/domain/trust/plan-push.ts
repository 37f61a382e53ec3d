/**
 * Decides how to push a cluster CA to one cluster: which write and other steps are necessary, and whether to refuse
 * (docs/trust.md). Pure: facts in, decision out. `operations/trust` converts decisions to actions.
 */
import {isBlocking} from '../ca/istiod-rules.js';
import {defined} from '../defined.js';
import {networkLabel} from '../istio/names.js';
import {type ErrorReport, problem} from '../errors.js';
import {isKnown, unknownsOf, valueOr} from '../observed.js';
import type {Certificate} from '../x509/certificate.js';
import {type CaFiles, caFileNames} from '../ca/ca-files.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {type CacertsSecret, isChangeable} from './cacerts.js';
import {compareCa, type Difference, type DesiredCa} from './diff.js';
import type {TrustObservation} from './cluster-trust.js';
import {exposedKeyWarnings, fixHint, keyRefusal, whyNotKept} from './key-custody.js';
import {stuckIstiods, type IstiodObservation} from './istiod.js';
import {affectedIstiods, mountRefusals} from './mounted.js';
import {droppedRoots, rootRefusals, rootWarnings} from './live-roots.js';
import {allowInvalid, decideCrl} from './revocation.js';

/** Flags that each override one refusal. */
export interface PushRules {
  /** `--allow-root-change` */
  readonly allowRootChange: boolean;
  /** `--restart-istiod` */
  readonly restartIstiod: boolean;
  /** `--allow-invalid-bundle` */
  readonly allowInvalidBundle: boolean;
  /** `--allow-unmounted` */
  readonly allowUnmounted: boolean;
}

/** The desired state of a cluster. */
export interface PushTarget {
  readonly cluster: string;
  readonly namespace: string;
  /** Istio's network if declared: the namespace's label. */
  readonly network?: string | undefined;
  readonly own: DesiredCa;
  /** The CA is that of the previous Secret, not the work directory's. */
  readonly isRollback?: boolean;
  /** The CA's name in messages: `cluster1/ca-cert.pem`. */
  readonly what: string;
  /** The Secret is up to date, but a running istiod presents another CA, because an earlier run ended early. */
  readonly pendingReload?: boolean;
  /** Why the CA belongs to another cluster (`wrongClusterCa`). */
  readonly wrongCluster?: string | undefined;
}

/**
 * - `create`: there is no Secret yet
 * - `update`: the whole Secret is replaced at the observed version, or patched if the key is not in the work directory
 * - `replace`: deleted and created, because its type or `immutable` prevents an update
 */
export type PushKind = 'create' | 'update' | 'replace' | 'unchanged' | 'refuse';

type SecretWrite = 'create' | 'put' | 'patch' | 'delete-and-create';

/** The decision for one cluster. */
export interface PushDecision {
  readonly kind: PushKind;
  readonly differences: readonly Difference[];
  readonly namespace: 'keep' | 'create' | 'label';
  /** The current label of the namespace, if it is a different network. */
  readonly otherNetwork?: string;
  /** How the Secret is written; absent if it is not. */
  readonly write?: SecretWrite;
  /** Whether the current Secret is saved as `cacerts-previous`. */
  readonly keepPrevious: boolean;
  /** istiods to restart after the write. */
  readonly restart: readonly IstiodObservation[];
  /** Whether to verify that the running istiods load the change. */
  readonly prove: boolean;
  /** Whether the change affects a running control plane: such a change is made in one cluster first. */
  readonly changesLiveTrust: boolean;
  /** The live roots that the change drops. */
  readonly droppedRoots: readonly Certificate[];
  readonly refusals: readonly ErrorReport[];
  readonly warnings: readonly Hint[];
}

/** The input of a decision. */
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

/** Decides how to push a CA to one cluster. */
export function decidePush(target: PushTarget, seen: TrustObservation, rules: PushRules): PushDecision {
  const {refusal, ...namespace} = decideNamespace(target, seen);
  const [unknown = refusal] = unknownsOf(seen.uid, seen.cacerts);
  if (unknown) return {...nothing, refusals: [unknown]};
  const cacerts = valueOr(seen.cacerts, 'absent');
  const differences = compareCa(target.own, cacerts);
  const push = {target, seen, cacerts, rules};
  const base = {...nothing, ...namespace, differences};
  if (cacerts === 'absent' || differences.length > 0) return decideChange(base, push);
  const warnings = [...bundleWarnings(push), ...managerWarnings(push)];
  const refusals = decideMount(push);
  if (refusals.length > 0) return {...base, refusals};
  const unchanged = {...base, kind: 'unchanged', warnings} as const;
  return isLoaded(seen, cacerts) && target.pendingReload !== true ? unchanged : decideReload(unchanged, push, cacerts);
}

/** Reports whether no change is necessary: the Secret is up to date, and no running istiod shows another bundle. */
export function isInPlace(own: DesiredCa, seen: TrustObservation): boolean {
  const cacerts = valueOr(seen.cacerts, 'absent');
  return cacerts !== 'absent' && compareCa(own, cacerts).length === 0 && isLoaded(seen, cacerts);
}

/**
 * Reports whether no running istiod is known to show another bundle than the Secret's. One does if a run ended between its
 * write and the restart or verification, or if the Secret was created after istiod started.
 */
function isLoaded(seen: TrustObservation, cacerts: CacertsSecret): boolean {
  const live = valueOr(seen.liveBundle, undefined);
  const running = affectedIstiods(valueOr(seen.istiods, [])).some(({readyPods}) => readyPods > 0);
  return !running || live === undefined || live === cacerts.files.rootCert;
}

/** Decides on the remaining steps after the write: restart and verification. */
function decideReload(unchanged: PushDecision, push: Push, cacerts: CacertsSecret): PushDecision {
  const {inspection} = push.target.own;
  // The same roots may have a different encoding, and istiod shows the bytes of the Secret.
  const {restart, running, prove, refusals: ofIstiods} = decideIstiods(push, {rootCert: cacerts.files.rootCert});
  const refusals = [...new Set([...decideRoots(push), ...ofIstiods])];
  if (refusals.length > 0) return {...unchanged, kind: 'refuse', refusals};
  const dropped = droppedRoots(push.seen, inspection);
  return {...unchanged, restart, prove, changesLiveTrust: running, droppedRoots: dropped};
}

function decideChange(base: PushDecision, push: Push): PushDecision {
  const {target, seen, cacerts, rules} = push;
  const {own} = target;
  const bundle = bundleRefusals(target, rules);
  // Without the files there is nothing to compare with the cluster.
  if (bundle[0]?.code === 'FILE_MISSING') return {...nothing, refusals: bundle};
  const write = decideWrite(push);
  const istiods = decideIstiods(push, own.files);
  // Two rules may refuse for the same reason: an unknown fact.
  const refusals = new Set([
    ...bundle,
    ...(rules.allowInvalidBundle ? [] : decideCrl(target, seen, cacerts).refusals),
    ...(typeof write === 'object' ? [write] : []),
    ...decideMount(push),
    ...decideRoots(push),
    ...istiods.refusals,
    ...(cacerts === 'absent' ? [] : unknownsOf(seen.previous)),
  ]);
  const isRefused = refusals.size > 0;
  const notKept = cacerts === 'absent' ? undefined : whyNotKept(cacerts, own);
  const kind = cacerts === 'absent' ? 'create' : write === 'delete-and-create' ? 'replace' : 'update';
  return defined({
    ...base,
    kind: isRefused ? 'refuse' : kind,
    write: typeof write === 'string' ? write : undefined,
    keepPrevious: cacerts !== 'absent' && Object.keys(cacerts.data).length > 0 && notKept === undefined,
    restart: istiods.restart,
    prove: istiods.prove,
    changesLiveTrust: cacerts !== 'absent' || istiods.running,
    droppedRoots: droppedRoots(seen, own.inspection),
    refusals: [...refusals],
    warnings: [
      ...(isRefused ? [] : bundleWarnings(push)),
      ...managerWarnings(push),
      ...istiods.warnings,
      ...(cacerts === 'absent' ? [] : exposedKeyWarnings(cacerts, target.cluster)),
      ...(notKept === undefined ? [] : [`the Secret ${notKept}, so it is not saved as cacerts-previous`]),
      ...(isRefused ? [] : rootWarnings(own.inspection, seen)),
    ],
  });
}

/** Decides on the write, or returns why none is possible. */
function decideWrite({target: {own, cluster}, seen, cacerts}: Push): SecretWrite | ErrorReport {
  const hasKey = own.isPlanned === true || own.files.caKey !== undefined;
  const keyMissing = (why: string, ...hints: readonly Hint[]): ErrorReport =>
    problem(
      ...(['FILE_MISSING', `${cluster}/ca-key.pem not found, and ${why}`, ...hints] as const),
      advice`restore the key, or issue a new cluster CA: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`,
    );
  if (cacerts === 'absent') {
    if (hasKey) return 'create';
    const rollback = advice`restore the CA in Secret cacerts-previous: ${kubectlMesh('trust rollback', [cluster])}`;
    const hints = valueOr(seen.previous, 'absent') === 'absent' ? [] : [rollback];
    return keyMissing('the cluster has no Secret with it', ...hints);
  }
  if (!hasKey && cacerts.inspection.key?.spki !== own.inspection.certificate?.spki) {
    return keyMissing('the key in the cluster belongs to another cluster CA');
  }
  if (!isChangeable(cacerts)) return 'delete-and-create';
  if (hasKey) return 'put';
  if (cacerts.files.layout === 'tls') return 'delete-and-create';
  // A patch keeps ca-key.pem as it is.
  return cacerts.misplacedKeys.length > 0 ? 'put' : 'patch';
}

function bundleRefusals(target: PushTarget, {allowInvalidBundle}: PushRules): readonly ErrorReport[] {
  const {own, what, cluster, isRollback = false, wrongCluster} = target;
  // What is issued here passes the same checks before it is written.
  if (own.isPlanned) return [];
  const missing = (['caCert', 'rootCert', 'certChain'] as const)
    .filter((part) => own.files[part] === undefined)
    .map((part) => `${cluster}/${caFileNames[part]}`);
  if (missing.length > 0 && !isRollback) {
    const message = `${missing.join(', ')} not found`;
    return [problem('FILE_MISSING', message, advice`issue the CA with: ${kubectlMesh('certs generate', [cluster])}`)];
  }
  const key = keyRefusal(target);
  if (key) return [key];
  const errors = own.inspection.findings.filter(
    (finding) => isBlocking(finding) && (isRollback || finding.id !== 'incomplete'),
  );
  const [first, ...others] = wrongCluster === undefined ? errors.map(({message}) => message) : [wrongCluster];
  if (allowInvalidBundle || first === undefined) return [];
  const fix =
    wrongCluster === undefined
      ? fixHint(cluster, errors)
      : advice`if directories were swapped, see how to move them back: ${kubectlMesh('verify', words`--offline`)}`;
  const hints = [...others, ...(isRollback ? [] : [fix]), allowInvalid];
  return [problem('PUSH_REFUSED_INVALID_CA', `${what}: ${first}`, ...hints)];
}

/**
 * Returns the faults of a bundle that is in the cluster or will be written, and those of revocation lists that are written or
 * kept despite their faults.
 */
function bundleWarnings({target, seen, cacerts}: Push): readonly string[] {
  const {own, what, wrongCluster} = target;
  const findings = own.inspection.findings.filter(({id}) => id !== 'incomplete').map(({message}) => message);
  const {warnings, refusals} = decideCrl(target, seen, cacerts);
  return [
    ...[...(wrongCluster === undefined ? [] : [wrongCluster]), ...findings].map((message) => `${what}: ${message}`),
    ...warnings,
    ...refusals.map(({message}) => message),
  ];
}

function managerWarnings({cacerts}: Push): readonly string[] {
  if (cacerts === 'absent' || cacerts.managedBy === undefined) return [];
  return [`Secret cacerts is managed by ${cacerts.managedBy}, which will overwrite changes`];
}

function decideMount({seen, rules}: Push): readonly ErrorReport[] {
  return rules.allowUnmounted ? [] : mountRefusals(valueOr(seen.istiods, []));
}

function decideRoots({target, seen, rules}: Push): readonly ErrorReport[] {
  return rules.allowRootChange ? [] : rootRefusals(target.own.inspection, seen);
}

/** Decides which istiods to restart so that they load a bundle, and no longer apply removed revocation lists. */
function decideIstiods(
  {seen, cacerts, rules}: Push,
  {rootCert: newBundle = '', crl: newLists}: Pick<CaFiles, 'rootCert' | 'crl'>,
): Pick<PushDecision, 'restart' | 'prove' | 'refusals' | 'warnings'> & {readonly running: boolean} {
  const all = valueOr(seen.istiods, []);
  const istiods = affectedIstiods(all);
  const isReady = ({readyPods}: IstiodObservation): boolean => readyPods > 0;
  const running = istiods.filter(isReady);
  // The others keep their CA, and may be the ones that publish the bundle.
  const canProve = running.length > 0 && running.length === all.filter(isReady).length;
  const warnings = istiods
    .filter(({readyPods}) => readyPods === 0)
    .map(({name}) => `Deployment ${name} has no ready pods: it will read the CA when it starts`);
  const base = {
    running: running.length > 0,
    prove: canProve,
    restart: [],
    warnings,
    refusals: unknownsOf(seen.istiods),
  };
  if (running.length === 0) return base;
  const [unread] = unknownsOf(seen.liveBundle, seen.selfSigned);
  if (unread) return {...base, refusals: [unread]};
  const [liveBundle, selfSigned] = [valueOr(seen.liveBundle, undefined), valueOr(seen.selfSigned, undefined)];
  const stuck = stuckIstiods({istiods: running, cacerts, newBundle, newLists, liveBundle, selfSigned});
  const [first] = stuck;
  if (!first || rules.restartIstiod) {
    const notes = running.flatMap(({name, version: {note}}) =>
      note === undefined ? [] : [`whether ${name} loads this change without a restart is not known: ${note}`],
    );
    return {...base, restart: stuck.map(({istiod}) => istiod), warnings: [...warnings, ...notes]};
  }
  const refusal = problem(
    'RESTART_NEEDED',
    `Deployment ${first.istiod.name} would not load the change: ${first.reason}`,
    'to restart it and wait until it is ready, use --restart-istiod',
  );
  return {...base, refusals: [refusal]};
}

function decideNamespace(
  {namespace, network}: PushTarget,
  seen: TrustObservation,
): Pick<PushDecision, 'namespace' | 'otherNetwork'> & {readonly refusal?: ErrorReport} {
  const keep = {namespace: 'keep'} as const;
  // The write shows whether the namespace exists; its label matters only if the network is declared.
  if (!isKnown(seen.namespace)) return network === undefined ? keep : {...keep, refusal: seen.namespace.unknown};
  const found = seen.namespace.value;
  if (found === 'absent') return {namespace: 'create'};
  if (found.metadata.deletionTimestamp !== undefined) {
    const hint = 'wait until it is deleted, then run the command again';
    return {...keep, refusal: problem('NOT_READY', `namespace ${namespace} is being deleted`, hint)};
  }
  const label = found.metadata.labels?.[networkLabel];
  return network === undefined || label === network ? keep : defined({namespace: 'label', otherNetwork: label});
}

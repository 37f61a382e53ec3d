/** What `install apply` decides. Pure. */
import {defined} from '../../domain/defined.js';
import {sha256Hex} from '../../domain/keys/fingerprint.js';
import {networkLabel, recordName} from '../../domain/istio/names.js';
import {MeshError, reportError} from '../../domain/errors.js';
import {refuseCacerts, refuseForeignCacerts} from '../../domain/install/cacerts-ready.js';
import {installYamlDiff, installYamlState} from '../../domain/install/install-yaml.js';
import {foreignOwners} from '../../domain/install/installer.js';
import {liveDigest, readRecord, recordObject} from '../../domain/install/live.js';
import type {Rendered} from '../../domain/install/render.js';
import {
  refuseOtherIstioctl,
  refuseVersionChange,
  runningVersion,
  type SaidVersion,
} from '../../domain/install/version-change.js';
import {applyCommand} from '../../domain/istio/istioctl.js';
import {kubernetesFit} from '../../domain/istio/kubernetes.js';
import {knowVersion} from '../../domain/istio/versions.js';
import {identityProblems, uidsToRecord} from '../../domain/mesh/identity.js';
import {madeElsewhere, usesCacerts} from '../../domain/mesh/signer.js';
import {isKnown} from '../../domain/observed.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {PatchObject, PutObject, RunIstioctl} from '../../engine/action.js';
import type {Blocker, Group, Lane, Plan, Warning} from '../../engine/operation.js';
import {declareGroups} from '../shared/load-mesh.js';
import type {InstalledCluster} from '../../observe/installed-cluster.js';
import type {ApplyFacts, TargetFacts} from './apply-facts.js';

/** What was agreed to on the command line. */
export interface ApplyConsent {
  readonly upgrade: boolean;
  readonly forceVersion: boolean;
  readonly takeOver: boolean;
  readonly acceptUid: boolean;
}

/** What `install apply` is about to do to a cluster. `repair`: the same bytes again, over what changed or was left half done. */
export type Change = 'install' | 'replace' | 'upgrade' | 'repair' | 'unchanged';

/** What is planned with. */
export interface ApplyOptions extends ApplyConsent {
  /** `--readiness-timeout` of istioctl: for each component. Milliseconds. */
  readonly readinessTimeoutMs: number;
}

/** istioctl waits for base, istiod, gateways and CNI one after the other; then it is ended. */
const componentsWaitedFor = 5;
const spareMs = 120_000;

/** A target that nothing speaks against. */
interface ReadyTarget {
  readonly target: TargetFacts;
  readonly live: InstalledCluster;
  readonly rendered: Rendered;
}

/** The plan, with what was decided for each cluster. */
export interface ApplyPlan extends Plan {
  /** By name; without an entry it could not be told. */
  readonly changes: ReadonlyMap<string, Change>;
}

/** Refusals first; then one cluster, then the rest. */
export function planApply(facts: ApplyFacts, options: ApplyOptions): ApplyPlan {
  const {loaded, version, targets} = facts;
  const seen = targets.flatMap(({rendering, live}) =>
    isKnown(live) ? [{name: rendering.cluster.name, uid: live.value.uid}] : [],
  );
  const blockers = [
    ...identityProblems(loaded.mesh, seen, options.acceptUid),
    ...targets.flatMap((target) => blockersOf(target, facts, options)),
  ];
  // A refused cluster's UID is not recorded: with --keep-going it would be the known one of the next run.
  const blocked = new Set(blockers.map(({cluster}) => cluster));
  const uids = uidsToRecord(
    loaded.mesh,
    seen.filter(({name}) => !blocked.has(name)),
  );
  const decided = targets.flatMap((target) => {
    const ready = readyTarget(target);
    return ready ? [{ready, change: changeOf(ready, facts.istioctl)}] : [];
  });
  const lanes = decided.flatMap(({ready, change}) => laneOf(ready, change, facts.istioctl, options));
  return {
    changes: new Map(decided.map(({ready, change}) => [ready.target.rendering.cluster.name, change])),
    groups: [...declareGroups(loaded, {uids}), ...oneThenTheRest(lanes)],
    blockers,
    warnings: [
      ...loaded.notes.map((message) => ({message})),
      ...(version.known.note === undefined ? [] : [{message: version.known.note}]),
      ...targets.flatMap(({rendering, live}) =>
        isKnown(live) ? kubernetesWarnings(rendering.cluster.name, live.value, facts) : [],
      ),
    ],
  };
}

/** What is to be done to a target whose state is known. */
function changeOf({live, rendered}: ReadyTarget, istioctl: SaidVersion): Change {
  if (!live.istiod) return 'install';
  const record = readRecord(live.record);
  const sameBytes = record?.installYaml === sha256Hex(rendered.text);
  if (sameBytes && record.istioctl === istioctl.said) {
    const digest = liveDigest(live.installed);
    return digest !== undefined && record.live === digest && hasNetworkLabel(live, rendered) ? 'unchanged' : 'repair';
  }
  return runningVersion(live.istiod).said === istioctl.said ? (sameBytes ? 'repair' : 'replace') : 'upgrade';
}

function readyTarget(target: TargetFacts): ReadyTarget | undefined {
  const {rendered} = target.rendering;
  return isKnown(target.live) && !(rendered instanceof MeshError)
    ? {target, live: target.live.value, rendered}
    : undefined;
}

function blockersOf(target: TargetFacts, facts: ApplyFacts, options: ApplyOptions): readonly Blocker[] {
  const {rendering, live, certificates} = target;
  const cluster = rendering.cluster.name;
  const block = (error: MeshError | undefined): readonly Blocker[] =>
    error ? [{cluster, error: reportError(error)}] : [];
  const {rendered} = rendering;
  if (rendered instanceof MeshError) return block(rendered);
  const offline = [
    ...block(refuseStale(target, rendered)),
    ...block(refuseOtherIstioctl(facts.loaded.mesh.istio.version, facts.istioctl)),
  ];
  if (!isKnown(live)) return [...offline, {cluster, error: live.unknown}];
  const {cacerts, istiod, installed} = live.value;
  return [
    ...offline,
    ...block(cacertsProblem(facts, cluster, rendered.namespace, certificates, cacerts)),
    ...block(istiod && refuseVersionChange(runningVersion(istiod), facts.istioctl, options)),
    ...block(options.takeOver ? undefined : refuseForeign(cluster, foreignOwners(installed, rendered.revision))),
  ];
}

function cacertsProblem(
  {loaded: {mesh}}: ApplyFacts,
  cluster: string,
  namespace: string,
  certificates: TargetFacts['certificates'],
  secret: InstalledCluster['cacerts'],
): MeshError | undefined {
  const {signer} = mesh.trust;
  if (!usesCacerts(signer)) return undefined;
  return madeElsewhere(signer) === undefined
    ? refuseCacerts(cluster, namespace, certificates, secret)
    : refuseForeignCacerts(cluster, namespace, secret);
}

function refuseStale({rendering}: TargetFacts, rendered: Rendered): MeshError | undefined {
  const {cluster, path, present} = rendering;
  if (present === rendered.text) return undefined;
  const hints = [advice`${kubectlMesh('install render', [cluster.name])}`];
  if (present === undefined) return new MeshError('FILE_MISSING', `${path} is not there yet`, {hints});
  const why =
    installYamlState(present) === 'rendered' ? 'is not what mesh.yaml says now' : 'was written or edited by hand';
  const changes = installYamlDiff(present, rendered.text);
  return new MeshError('STALE_INSTALL', [`${path} ${why}:`, ...changes.map((line) => `  ${line}`)].join('\n'), {
    hints: [...hints, 'what is to stay belongs into mesh.yaml: values, overlays'],
  });
}

function refuseForeign(cluster: string, owners: ReturnType<typeof foreignOwners>): MeshError | undefined {
  if (owners.length === 0) return undefined;
  const list = owners.map(({owner, object}) => `${owner} (${object})`).join(', ');
  return new MeshError(
    'FOREIGN_OWNER',
    `Istio in ${cluster} was installed by ${list}: istioctl would overwrite it by force`,
    {
      hints: ['change it where it is managed, or say --take-over to make istioctl its installer'],
    },
  );
}

function laneOf(ready: ReadyTarget, change: Change, istioctl: SaidVersion, options: ApplyOptions): readonly Lane[] {
  if (change === 'unchanged') return [];
  const {name} = ready.target.rendering.cluster;
  const run = istioctlAction(ready, change, istioctl, options);
  return [
    {
      key: name,
      cluster: name,
      title: `${name}: ${run.title}`,
      actions: [...namespaceAction(ready), recordAction(ready, istioctl), run],
    },
  ];
}

function oneThenTheRest(lanes: readonly Lane[]): readonly Group[] {
  const [first, ...rest] = lanes;
  if (!first) return [];
  return [
    {title: 'install Istio', lanes: [first], onFailure: 'stop'},
    ...(rest.length === 0
      ? []
      : [{title: 'install Istio in the other clusters', lanes: rest, onFailure: 'stop' as const}]),
  ];
}

function hasNetworkLabel({namespace}: InstalledCluster, {network}: Rendered): boolean {
  return namespace?.metadata.labels?.[networkLabel] === network;
}

/**
 * istioctl labels the namespace only when it makes it itself (istio/istio operator/pkg/util/k8s.go). Where nothing is pushed
 * before (`trust.signer` is external), it is made here: the note of the installation goes into it first.
 */
function namespaceAction({target, live, rendered}: ReadyTarget): readonly (PatchObject | PutObject)[] {
  if (!live.namespace) {
    const {namespace: name, network: of} = rendered;
    return [
      {
        kind: 'put-object',
        id: `${target.rendering.cluster.name}/namespace`,
        cluster: target.rendering.cluster.name,
        context: live.context,
        title: `create namespace ${name} of network ${of}`,
        object: {apiVersion: 'v1', kind: 'Namespace', metadata: {name, labels: {[networkLabel]: of}}},
      },
    ];
  }
  if (hasNetworkLabel(live, rendered)) return [];
  const before = live.namespace.metadata.labels?.[networkLabel];
  const {name} = target.rendering.cluster;
  const {namespace, network} = rendered;
  return [
    {
      kind: 'patch-object',
      id: `${name}/network-label`,
      cluster: name,
      context: live.context,
      title: `label namespace ${namespace} with ${networkLabel}=${network}`,
      ...(before === undefined
        ? {}
        : {confirm: `change the network of namespace ${namespace} from ${before} to ${network}`}),
      ref: {apiVersion: 'v1', kind: 'Namespace', name: namespace},
      patch: {metadata: {labels: {[networkLabel]: network}}},
    },
  ];
}

/** Written before istioctl runs: an installation that was left half done is then known as ours, and of which bytes. */
function recordAction({target, live, rendered}: ReadyTarget, istioctl: SaidVersion): PutObject {
  const {name} = target.rendering.cluster;
  const {namespace, revision} = rendered;
  const record = {installYaml: sha256Hex(rendered.text), istioctl: istioctl.said, live: ''};
  return {
    kind: 'put-object',
    id: `${name}/install-record`,
    cluster: name,
    context: live.context,
    remembers: true,
    title: `note the installation in ConfigMap ${namespace}/${recordName(revision)}`,
    object: recordObject(record, {namespace, revision}, live.record),
  };
}

function istioctlAction(
  {target, live, rendered}: ReadyTarget,
  change: Exclude<Change, 'unchanged'>,
  istioctl: SaidVersion,
  {readinessTimeoutMs}: ApplyOptions,
): RunIstioctl {
  const {words, flags} = applyCommand(knowVersion(istioctl.said).version);
  const running = live.istiod ? runningVersion(live.istiod).said : '';
  const {name} = target.rendering.cluster;
  const titles = {
    install: `install Istio ${istioctl.said}`,
    repair: `apply the same install.yaml again with istioctl ${istioctl.said}`,
    replace: `replace the configuration of Istio ${running}`,
    upgrade: `replace Istio ${running} by ${istioctl.said}`,
  };
  const asks = change === 'replace' || change === 'upgrade';
  return defined<RunIstioctl>({
    kind: 'run-istioctl',
    id: `${name}/install`,
    cluster: name,
    context: live.context,
    title: titles[change],
    confirm: asks ? `${titles[change]}, which runs in namespace ${rendered.namespace}` : undefined,
    args: [...words, ...flags, '-y', '--readiness-timeout', `${String(Math.ceil(readinessTimeoutMs / 1000))}s`],
    file: target.rendering.path,
    fileSha256: sha256Hex(rendered.text),
    namespace: rendered.namespace,
    timeoutMs: componentsWaitedFor * readinessTimeoutMs + spareMs,
  });
}

function kubernetesWarnings(
  cluster: string,
  {kubernetesMinor}: InstalledCluster,
  {istioctl}: ApplyFacts,
): readonly Warning[] {
  if (kubernetesMinor === undefined) return [];
  const suits = kubernetesFit(knowVersion(istioctl.said).version, kubernetesMinor);
  const istio = `Istio ${istioctl.said}`;
  const server = `Kubernetes 1.${String(kubernetesMinor)}`;
  switch (suits.fit) {
    case 'fits':
      return [];
    case 'too old':
      return [{cluster, message: `${server} is older than ${istio} supports: 1.${String(suits.min)} and later`}];
    case 'too new':
      return [
        {cluster, message: `${server} is too new for ${istio}, whose webhooks need 1.${String(suits.max)} or earlier`},
      ];
  }
}

/** What `install apply` decides. Pure. */
import {defined} from '../../domain/defined.js';
import {sha256Hex} from '../../domain/keys/keys.js';
import {networkLabel, recordName} from '../../domain/istio/names.js';
import {type ErrorReport, MeshError, problem, reportError} from '../../domain/errors.js';
import {type CaCertificates, refuseCacerts, refuseForeignCacerts} from '../../domain/install/cacerts-ready.js';
import {installYamlDiff, installYamlState} from '../../domain/install/install-yaml.js';
import {foreignOwners} from '../../domain/install/installer.js';
import {liveDigest, readRecord, recordObject} from '../../domain/install/live.js';
import type {Rendered} from '../../domain/install/render.js';
import {
  refuseOtherIstioctl,
  refuseVersionChange,
  runningVersion,
  type ReportedVersion,
  type VersionOverrides,
} from '../../domain/install/version-change.js';
import {applyCommand} from '../../domain/istio/istioctl.js';
import {kubernetesFit} from '../../domain/istio/kubernetes.js';
import {knowVersion} from '../../domain/istio/versions.js';
import {identityProblems, uidsToRecord} from '../../domain/mesh/identity.js';
import {externalCaReason, usesCacerts} from '../../domain/mesh/signer.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Action, PatchObject, PutObject, RunIstioctl} from '../../engine/action.js';
import {asWarnings, type Blocker, groupOfLanes, type Plan, type Warning} from '../../engine/operation.js';
import {declareGroups, type LoadedMesh} from '../shared/load-mesh.js';
import type {InstalledCluster} from '../../observe/installed-cluster.js';
import type {ChosenVersion, Rendering} from '../../observe/renderings.js';

/** One cluster, in the work directory and as it is. */
export interface TargetFacts {
  readonly rendering: Rendering;
  readonly certificates: CaCertificates;
  readonly live: Observed<InstalledCluster>;
}

/** Everything the plan is made from. */
export interface ApplyFacts {
  readonly loaded: LoadedMesh;
  readonly version: ChosenVersion;
  readonly istioctl: ReportedVersion;
  readonly targets: readonly TargetFacts[];
}

/** What a plan depends on besides facts: mostly what the command line agreed to. */
export interface ApplyOptions extends VersionOverrides {
  readonly takeOver: boolean;
  readonly acceptUid: boolean;
  /** `--readiness-timeout` of istioctl: for each component. Milliseconds. */
  readonly readinessTimeoutMs: number;
}

/** What `install apply` is about to do to a cluster. `repair`: the same bytes again, over what changed or was left half done. */
export type Change = 'install' | 'replace' | 'upgrade' | 'repair' | 'unchanged';

/** istioctl waits for base, istiod, gateways and CNI one after the other; then it is ended. */
const componentsWaitedFor = 5;
const spareMs = 120_000;

/** A cluster whose state and install.yaml are known, and what is to be done to it. */
export interface Decided extends Pick<Rendering, 'cluster' | 'path'> {
  readonly live: InstalledCluster;
  readonly rendered: Rendered;
  readonly change: Change;
}

/** The plan, with what was decided for each cluster. */
export interface ApplyPlan extends Plan {
  /** By name; without an entry it could not be told. */
  readonly decided: ReadonlyMap<string, Decided>;
}

/** Refusals first; then one cluster, then the rest. */
export function planApply(facts: ApplyFacts, options: ApplyOptions): ApplyPlan {
  const {loaded, version, istioctl, targets} = facts;
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
  const decided = targets.flatMap(({rendering: {cluster, path, rendered}, live}): readonly Decided[] =>
    isKnown(live) && !(rendered instanceof MeshError)
      ? [{cluster, path, live: live.value, rendered, change: changeOf(live.value, rendered, istioctl)}]
      : [],
  );
  const lanes = decided.flatMap((one) => {
    const {name} = one.cluster;
    if (one.change === 'unchanged') return [];
    const run = istioctlAction(one, one.change, istioctl, options);
    const note = noteAction(one, istioctl, {id: 'install-record', what: 'the installation', live: ''});
    return [{key: name, cluster: name, title: `${name}: ${run.title}`, actions: [...namespaceAction(one), note, run]}];
  });
  return {
    decided: new Map(decided.map((one) => [one.cluster.name, one])),
    groups: [...declareGroups(loaded, {uids}), ...groupOfLanes(lanes.slice(0, 1)), ...groupOfLanes(lanes.slice(1))],
    blockers,
    warnings: [
      ...asWarnings([...loaded.notes, ...(version.known.note === undefined ? [] : [version.known.note])]),
      ...targets.flatMap(({rendering, live}) =>
        isKnown(live) ? kubernetesWarnings(rendering.cluster.name, live.value, istioctl) : [],
      ),
    ],
  };
}

/** What is to be done to a cluster whose state is known. */
function changeOf(live: InstalledCluster, rendered: Rendered, istioctl: ReportedVersion): Change {
  if (!live.istiod) return 'install';
  const record = readRecord(live.record);
  const sameBytes = record?.installYaml === sha256Hex(rendered.text);
  if (sameBytes && record.istioctl === istioctl.said) {
    const digest = liveDigest(live.installed);
    const isAsLeft = digest !== undefined && record.live === digest && networkOf(live) === rendered.network;
    return isAsLeft ? 'unchanged' : 'repair';
  }
  if (runningVersion(live.istiod).said !== istioctl.said) return 'upgrade';
  return sameBytes ? 'repair' : 'replace';
}

/** By its namespace's label. */
function networkOf({namespace}: InstalledCluster): string | undefined {
  return namespace?.metadata.labels?.[networkLabel];
}

function blockersOf(target: TargetFacts, facts: ApplyFacts, options: ApplyOptions): readonly Blocker[] {
  const {
    rendering: {cluster, rendered},
    live,
  } = target;
  const {mesh} = facts.loaded;
  if (rendered instanceof MeshError) return [{cluster: cluster.name, error: reportError(rendered)}];
  const errors = [
    refuseStale(target.rendering, rendered),
    refuseOtherIstioctl(mesh.istio.version, facts.istioctl),
    ...(isKnown(live) ? refuseLive(target, live.value, rendered, facts, options) : [live.unknown]),
  ];
  return errors.flatMap((error) => (error ? [{cluster: cluster.name, error}] : []));
}

/** The reasons against it in the cluster as it is. */
function refuseLive(
  {rendering: {cluster}, certificates}: TargetFacts,
  {cacerts, istiod, installed}: InstalledCluster,
  {namespace, revision}: Rendered,
  {loaded, istioctl}: ApplyFacts,
  options: ApplyOptions,
): readonly (ErrorReport | undefined)[] {
  const {signer} = loaded.mesh.trust;
  const refuseSecret = (): ErrorReport | undefined =>
    externalCaReason(signer) === undefined
      ? refuseCacerts(cluster.name, namespace, certificates, cacerts)
      : refuseForeignCacerts(cluster.name, namespace, cacerts);
  return [
    usesCacerts(signer) ? refuseSecret() : undefined,
    istiod && refuseVersionChange(runningVersion(istiod), istioctl, options),
    options.takeOver ? undefined : refuseForeign(cluster.name, foreignOwners(installed, revision)),
  ];
}

function refuseStale({cluster, path, present}: Rendering, rendered: Rendered): ErrorReport | undefined {
  if (present === rendered.text) return undefined;
  const render = advice`${kubectlMesh('install render', [cluster.name])}`;
  if (present === undefined) return problem('FILE_MISSING', `${path} is not there yet`, render);
  const why =
    installYamlState(present) === 'rendered' ? 'is not what mesh.yaml says now' : 'was written or edited by hand';
  const changes = installYamlDiff(present, rendered.text).map((line) => `  ${line}`);
  const hint = 'what is to stay belongs into mesh.yaml: values, overlays';
  return problem('STALE_INSTALL', [`${path} ${why}:`, ...changes].join('\n'), render, hint);
}

function refuseForeign(cluster: string, owners: ReturnType<typeof foreignOwners>): ErrorReport | undefined {
  if (owners.length === 0) return undefined;
  return problem(
    'FOREIGN_OWNER',
    `Istio in ${cluster} was installed by ${owners.map(({owner, object}) => `${owner} (${object})`).join(', ')}: istioctl would overwrite it by force`,
    'change it where it is managed, or say --take-over to make istioctl its installer',
  );
}

/** What actions on a cluster have in common. */
function on({cluster: {name}, live: {context}}: Decided, what: string) {
  return {id: `${name}/${what}`, cluster: name, context};
}

/**
 * istioctl labels the namespace only when it makes it itself (istio/istio operator/pkg/util/k8s.go). Where nothing is pushed
 * before (`trust.signer` is external), it is made here: the note of the installation goes into it first.
 */
function namespaceAction(decided: Decided): readonly Action[] {
  const {live, rendered} = decided;
  const {namespace: name, network} = rendered;
  const before = networkOf(live);
  if (live.namespace && before === network) return [];
  const namespace = {apiVersion: 'v1', kind: 'Namespace'};
  const labels = {[networkLabel]: network};
  if (!live.namespace) {
    const title = `create namespace ${name} of network ${network}`;
    return [{kind: 'put-object', ...on(decided, 'namespace'), title, object: {...namespace, metadata: {name, labels}}}];
  }
  return [
    defined<PatchObject>({
      kind: 'patch-object',
      ...on(decided, 'network-label'),
      title: `label namespace ${name} with ${networkLabel}=${network}`,
      confirm:
        before === undefined ? undefined : `change the network of namespace ${name} from ${before} to ${network}`,
      ref: {...namespace, name},
      patch: {metadata: {labels}},
    }),
  ];
}

/**
 * Notes an installation in its ConfigMap, twice: before istioctl runs, so that one left half done is known as ours and of
 * which bytes, and after it, with what is live then.
 */
export function noteAction(
  decided: Decided,
  istioctl: ReportedVersion,
  {id, what, live}: {readonly id: string; readonly what: string; readonly live: string},
): PutObject {
  const {namespace, revision, text} = decided.rendered;
  return {
    kind: 'put-object',
    ...on(decided, id),
    recordsJournalHead: true,
    title: `note ${what} in ConfigMap ${namespace}/${recordName(revision)}`,
    object: recordObject(
      {installYaml: sha256Hex(text), istioctl: istioctl.said, live},
      {namespace, revision},
      decided.live.record,
    ),
  };
}

function istioctlAction(
  decided: Decided,
  change: Exclude<Change, 'unchanged'>,
  istioctl: ReportedVersion,
  {readinessTimeoutMs}: ApplyOptions,
): RunIstioctl {
  const {live, rendered, path} = decided;
  const {words, flags} = applyCommand(knowVersion(istioctl.said).version);
  const running = live.istiod ? runningVersion(live.istiod).said : '';
  const title = {
    install: `install Istio ${istioctl.said}`,
    repair: `apply the same install.yaml again with istioctl ${istioctl.said}`,
    replace: `replace the configuration of Istio ${running}`,
    upgrade: `replace Istio ${running} by ${istioctl.said}`,
  }[change];
  const asks = change === 'replace' || change === 'upgrade';
  return defined<RunIstioctl>({
    kind: 'run-istioctl',
    ...on(decided, 'install'),
    title,
    confirm: asks ? `${title}, which runs in namespace ${rendered.namespace}` : undefined,
    args: [...words, ...flags, '-y', '--readiness-timeout', `${String(Math.ceil(readinessTimeoutMs / 1000))}s`],
    file: path,
    fileSha256: sha256Hex(rendered.text),
    namespace: rendered.namespace,
    timeoutMs: componentsWaitedFor * readinessTimeoutMs + spareMs,
  });
}

function kubernetesWarnings(
  cluster: string,
  {kubernetesMinor}: InstalledCluster,
  istioctl: ReportedVersion,
): readonly Warning[] {
  if (kubernetesMinor === undefined) return [];
  const suits = kubernetesFit(knowVersion(istioctl.said).version, kubernetesMinor);
  if (suits.fit === 'fits') return [];
  const istio = `Istio ${istioctl.said}`;
  const server = `Kubernetes 1.${String(kubernetesMinor)}`;
  const message =
    suits.fit === 'too old'
      ? `${server} is older than ${istio} supports: 1.${String(suits.min)} and later`
      : `${server} is too new for ${istio}, whose webhooks need 1.${String(suits.max)} or earlier`;
  return [{cluster, message}];
}

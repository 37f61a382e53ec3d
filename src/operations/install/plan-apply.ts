/** The plan of `install apply`. Pure. */
import {defined} from '../../domain/defined.js';
import {sha256Hex} from '../../domain/keys/keys.js';
import {caSourceOf} from '../../domain/istio/ca-source.js';
import {networkLabel, recordName} from '../../domain/istio/names.js';
import {type ErrorReport, MeshError, problem, reportError} from '../../domain/errors.js';
import {type CaCertificates, refuseCa} from '../../domain/install/cacerts-ready.js';
import {refuseRename} from '../../domain/install/cluster-rename.js';
import {describeStale, installYamlDiff, installYamlState} from '../../domain/install/install-yaml.js';
import {foreignOwners} from '../../domain/install/installer.js';
import {liveDigest, readRecord, recordObject} from '../../domain/install/live.js';
import type {Rendered} from '../../domain/install/render.js';
import {refuseOtherIstioctl, refuseVersionChange, type VersionOverrides} from '../../domain/install/version-change.js';
import {applyCommand} from '../../domain/istio/istioctl.js';
import {kubernetesFit} from '../../domain/istio/kubernetes.js';
import {runningVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {resolveVersion} from '../../domain/istio/versions.js';
import {identityProblems, uidsToRecord} from '../../domain/mesh/identity.js';
import {externalCaReason, usesCacerts} from '../../domain/mesh/signer.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Action, PatchObject, PutObject, RunIstioctl} from '../../engine/action.js';
import {asWarnings, type Blocker, groupOfLanes, type Plan, type Warning} from '../../engine/operation.js';
import {declareGroups, type LoadedMesh} from '../shared/load-mesh.js';
import type {InstalledCluster} from '../../observe/installed-cluster.js';
import type {ChosenVersion, Rendering} from '../../observe/renderings.js';

/** One cluster, in the work directory and live. */
export interface TargetFacts {
  readonly rendering: Rendering;
  readonly certificates: CaCertificates;
  readonly live: Observed<InstalledCluster>;
}

/** The input of the plan. */
export interface ApplyFacts {
  readonly loaded: LoadedMesh;
  readonly version: ChosenVersion;
  readonly istioctl: ReportedVersion;
  readonly targets: readonly TargetFacts[];
}

/** Flags that the plan depends on: mostly overrides of safety rules. */
export interface ApplyOptions extends VersionOverrides {
  readonly takeOver: boolean;
  readonly acceptUid: boolean;
  /** istioctl's `--readiness-timeout`, for each component. Milliseconds. */
  readonly readinessTimeoutMs: number;
}

/** The change to a cluster. `repair`: the same bytes again, over later changes or a partial installation. */
export type InstallChange = 'install' | 'replace' | 'upgrade' | 'repair' | 'unchanged';

/** istioctl waits for each component in turn (base, istiod, gateways, CNI); it is stopped after that plus a margin. */
const componentCount = 5;
const marginMs = 120_000;

/** A cluster whose state and install.yaml are known, and its change. */
export interface DecidedInstall extends Pick<Rendering, 'cluster' | 'path'> {
  readonly live: InstalledCluster;
  readonly rendered: Rendered;
  readonly change: InstallChange;
}

/** The plan, with the decision for each cluster. */
export interface ApplyPlan extends Plan {
  /** By name; a cluster without an entry could not be decided. */
  readonly decided: ReadonlyMap<string, DecidedInstall>;
}

/** Plans one cluster first, then the rest; blocks clusters that a rule refuses. */
export function planApply(facts: ApplyFacts, options: ApplyOptions): ApplyPlan {
  const {loaded, version, istioctl, targets} = facts;
  const liveUids = targets.flatMap(({rendering, live}) =>
    isKnown(live) ? [{name: rendering.cluster.name, uid: live.value.uid}] : [],
  );
  const blockers = [
    ...identityProblems(loaded.mesh, liveUids, options.acceptUid),
    ...targets.flatMap((target) => blockersOf(target, facts, options)),
  ];
  // A blocked cluster's UID is not recorded: with --keep-going the next run would otherwise accept it.
  const blocked = new Set(blockers.map(({cluster}) => cluster));
  const uids = uidsToRecord(
    loaded.mesh,
    liveUids.filter(({name}) => !blocked.has(name)),
  );
  const decided = targets.flatMap(({rendering: {cluster, path, rendered}, live}): readonly DecidedInstall[] =>
    isKnown(live) && !(rendered instanceof MeshError)
      ? [{cluster, path, live: live.value, rendered, change: changeOf(live.value, rendered, istioctl)}]
      : [],
  );
  const lanes = decided.flatMap((one) => {
    const {name} = one.cluster;
    if (one.change === 'unchanged') return [];
    const run = istioctlAction(one, one.change, istioctl, options);
    const put = putRecord(one, istioctl, {id: 'install-record', what: 'the installation', live: ''});
    return [{key: name, cluster: name, title: `${name}: ${run.title}`, actions: [...namespaceAction(one), put, run]}];
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

/** The change to a cluster whose state is known. */
function changeOf(live: InstalledCluster, rendered: Rendered, istioctl: ReportedVersion): InstallChange {
  if (!live.istiod) return 'install';
  const record = readRecord(live.record);
  const sameBytes = record?.installYaml === sha256Hex(rendered.text);
  if (sameBytes && record.istioctl === istioctl.text) {
    const digest = liveDigest(live.installed);
    const isUnchanged = digest !== undefined && record.live === digest && networkOf(live) === rendered.network;
    return isUnchanged ? 'unchanged' : 'repair';
  }
  if (runningVersion(live.istiod).text !== istioctl.text) return 'upgrade';
  return sameBytes ? 'repair' : 'replace';
}

/** The network on the label of Istio's namespace. */
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

/** The reasons to refuse the change that follow from the live cluster. */
function refuseLive(
  {rendering: {cluster}, certificates}: TargetFacts,
  {cacerts, mountedCa, istiod, istiods, installed}: InstalledCluster,
  {namespace, revision, clusterName, text}: Rendered,
  {loaded, istioctl}: ApplyFacts,
  options: ApplyOptions,
): readonly (ErrorReport | undefined)[] {
  const {signer} = loaded.mesh.trust;
  const running = istiod && caSourceOf(istiod);
  const kind = externalCaReason(signer) === undefined ? certificates : 'foreign';
  const ca = {cluster: cluster.name, namespace, wanted: kind, cacerts, mountedCa, running, installYaml: text} as const;
  return [
    usesCacerts(signer) ? refuseCa(ca) : undefined,
    refuseRename(loaded.mesh, cluster, clusterName, istiods),
    istiod && refuseVersionChange(runningVersion(istiod), istioctl, options),
    options.takeOver ? undefined : refuseForeign(cluster.name, foreignOwners(installed, revision)),
  ];
}

function refuseStale({cluster, path, present}: Rendering, rendered: Rendered): ErrorReport | undefined {
  if (present === rendered.text) return undefined;
  const render = advice`render it with: ${kubectlMesh('install render', [cluster.name])}`;
  if (present === undefined) return problem('FILE_MISSING', `${path} not found`, render);
  const isRendered = installYamlState(present) === 'rendered';
  const stale = describeStale(present, rendered.text);
  // Without a difference in the document, the lines of the header would not show why the file is refused.
  if (isRendered && stale.isSame) return problem('STALE_INSTALL', `${path} is outdated: ${stale.text}`, render);
  const why = isRendered ? 'does not match mesh.yaml' : 'was edited or written by hand';
  const changes = installYamlDiff(present, rendered.text).map((line) => `  ${line}`);
  const hint = 'to keep changes, add them to mesh.yaml (values, overlays)';
  return problem('STALE_INSTALL', [`${path} ${why}:`, ...changes].join('\n'), render, hint);
}

function refuseForeign(cluster: string, owners: ReturnType<typeof foreignOwners>): ErrorReport | undefined {
  if (owners.length === 0) return undefined;
  return problem(
    'FOREIGN_OWNER',
    `Istio in ${cluster} was installed by ${owners.map(({owner, object}) => `${owner} (${object})`).join(', ')}: istioctl would forcibly overwrite it`,
    'change it with that installer, or use --take-over to let istioctl manage it',
  );
}

/** The fields that all actions on a cluster share. */
function base({cluster: {name}, live: {context}}: DecidedInstall, what: string) {
  return {id: `${name}/${what}`, cluster: name, context};
}

/**
 * istioctl labels the namespace only if it creates it (istio/istio operator/pkg/util/k8s.go). Without an earlier push
 * (`trust.signer` is external) it is created here, since the installation is recorded in it first.
 */
function namespaceAction(decided: DecidedInstall): readonly Action[] {
  const {live, rendered} = decided;
  const {namespace: name, network} = rendered;
  const before = networkOf(live);
  if (live.namespace && before === network) return [];
  const namespace = {apiVersion: 'v1', kind: 'Namespace'};
  const labels = {[networkLabel]: network};
  if (!live.namespace) {
    const title = `create namespace ${name} with network ${network}`;
    return [
      {kind: 'put-object', ...base(decided, 'namespace'), title, object: {...namespace, metadata: {name, labels}}},
    ];
  }
  return [
    defined<PatchObject>({
      kind: 'patch-object',
      ...base(decided, 'network-label'),
      title: `label namespace ${name} with ${networkLabel}=${network}`,
      confirm:
        before === undefined ? undefined : `change the network of namespace ${name} from ${before} to ${network}`,
      ref: {...namespace, name},
      patch: {metadata: {labels}},
    }),
  ];
}

/**
 * Records an installation in its ConfigMap, twice: before istioctl runs, so that a partial one can be recognized with
 * its exact install.yaml, and afterwards, with the live state.
 */
export function putRecord(
  decided: DecidedInstall,
  istioctl: ReportedVersion,
  {id, what, live}: {readonly id: string; readonly what: string; readonly live: string},
): PutObject {
  const {namespace, revision, text} = decided.rendered;
  return {
    kind: 'put-object',
    ...base(decided, id),
    recordsJournalHead: true,
    title: `record ${what} in ConfigMap ${namespace}/${recordName(revision)}`,
    object: recordObject(
      {installYaml: sha256Hex(text), istioctl: istioctl.text, live},
      {namespace, revision},
      decided.live.record,
    ),
  };
}

function istioctlAction(
  decided: DecidedInstall,
  change: Exclude<InstallChange, 'unchanged'>,
  istioctl: ReportedVersion,
  {readinessTimeoutMs}: ApplyOptions,
): RunIstioctl {
  const {live, rendered, path} = decided;
  const {words, flags} = applyCommand(resolveVersion(istioctl.text).version);
  const running = live.istiod ? runningVersion(live.istiod).text : '';
  const title = {
    install: `install Istio ${istioctl.text}`,
    repair: `apply the same install.yaml again with istioctl ${istioctl.text}`,
    replace: `replace the configuration of Istio ${running}`,
    upgrade: `replace Istio ${running} with ${istioctl.text}`,
  }[change];
  const needsConfirmation = change === 'replace' || change === 'upgrade';
  return defined<RunIstioctl>({
    kind: 'run-istioctl',
    ...base(decided, 'install'),
    title,
    confirm: needsConfirmation ? `${title} in namespace ${rendered.namespace}` : undefined,
    args: [...words, ...flags, '-y', '--readiness-timeout', `${String(Math.ceil(readinessTimeoutMs / 1000))}s`],
    file: path,
    fileSha256: sha256Hex(rendered.text),
    namespace: rendered.namespace,
    timeoutMs: componentCount * readinessTimeoutMs + marginMs,
  });
}

function kubernetesWarnings(
  cluster: string,
  {kubernetesMinor}: InstalledCluster,
  istioctl: ReportedVersion,
): readonly Warning[] {
  if (kubernetesMinor === undefined) return [];
  const support = kubernetesFit(resolveVersion(istioctl.text).version, kubernetesMinor);
  if (support.fit === 'fits') return [];
  const istio = `Istio ${istioctl.text}`;
  const server = `Kubernetes 1.${String(kubernetesMinor)}`;
  const message =
    support.fit === 'too old'
      ? `${server} is too old for ${istio}, which requires 1.${String(support.min)} or later`
      : `${server} is too new for ${istio}, whose webhooks require 1.${String(support.max)} or earlier`;
  return [{cluster, message}];
}

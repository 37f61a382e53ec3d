/** The plan of `install apply`. Pure. */
import {defined} from '../../domain/defined.js';
import {sha256Hex} from '../../domain/keys/keys.js';
import {recordObject} from '../../domain/install/live.js';
import {applyCommand} from '../../domain/istio/istioctl.js';
import {kubernetesFit} from '../../domain/istio/kubernetes.js';
import {eastWestName} from '../../domain/install/east-west/kind.js';
import {networkLabel, recordName} from '../../domain/istio/names.js';
import {runningVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {resolveVersion} from '../../domain/istio/versions.js';
import {identityProblems, uidsToRecord} from '../../domain/mesh/identity.js';
import {isKnown} from '../../domain/observed.js';
import type {Action, PatchObject, PutObject, RunIstioctl} from '../../engine/action.js';
import {asWarnings, groupOfLanes, type Plan, type Warning} from '../../engine/operation.js';
import type {InstalledCluster} from '../../observe/installed-cluster.js';
import {declareGroups} from '../shared/load-mesh.js';
import {
  type ApplyFacts,
  type ApplyOptions,
  decideInstall,
  type DecidedInstall,
  type InstallChange,
  networkOf,
} from './decide-apply.js';
import {blockersOf} from './refuse-apply.js';

/** istioctl waits for each component in turn (base, istiod, gateways, CNI); it is stopped after that plus a margin. */
const componentCount = 5;
const marginMs = 120_000;

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
  const decided = new Map(
    targets.flatMap((target) => decideInstall(target, istioctl, options)).map((one) => [one.cluster.name, one]),
  );
  const blockers = [
    ...identityProblems(loaded.mesh, liveUids, options.acceptUid),
    ...targets.flatMap((target) => blockersOf(target, decided.get(target.rendering.cluster.name), facts, options)),
  ];
  // A blocked cluster's UID is not recorded: with --keep-going the next run would otherwise accept it.
  const blocked = new Set(blockers.map(({cluster}) => cluster));
  const uids = uidsToRecord(
    loaded.mesh,
    liveUids.filter(({name}) => !blocked.has(name)),
  );
  const lanes = [...decided.values()].flatMap((one) => {
    const {name} = one.cluster;
    if (one.change === 'unchanged') return [];
    const run = istioctlAction(one, one.change, istioctl, options);
    const put = putRecord(one, istioctl, {id: 'install-record', what: 'the installation', live: ''});
    return [
      {
        key: name,
        cluster: name,
        title: `${name}: ${run.title}`,
        actions: [...namespaceAction(one), put, ...recreateGateway(one), run],
      },
    ];
  });
  return {
    decided,
    groups: [...declareGroups(loaded, {uids}), ...groupOfLanes(lanes.slice(0, 1)), ...groupOfLanes(lanes.slice(1))],
    blockers,
    warnings: [
      ...[...decided.values()].flatMap(unreadGateways),
      ...asWarnings([...loaded.notes, ...(version.known.note === undefined ? [] : [version.known.note])]),
      ...targets.flatMap(({rendering, live}) =>
        isKnown(live) ? kubernetesWarnings(rendering.cluster.name, live.value, istioctl) : [],
      ),
    ],
  };
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
  const what = {
    install: `install Istio ${istioctl.text}`,
    repair: `apply the same install.yaml again with istioctl ${istioctl.text}`,
    replace: `replace the configuration of Istio ${running}`,
    upgrade: `replace Istio ${running} with ${istioctl.text}`,
  }[change];
  const title = [what, ...consequences(decided)].join(', which also ');
  const needsConfirmation = change === 'replace' || change === 'upgrade' || title !== what;
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

/** In a mesh with one network, a Gateway that cannot be read may be left of an earlier one. */
function unreadGateways({cluster, live: {gateways}, rendered: {eastWest}}: DecidedInstall): readonly Warning[] {
  if (eastWest !== undefined || isKnown(gateways)) return [];
  const message = `cannot determine whether a Gateway is left of an earlier network: ${gateways.unknown.message}`;
  return [{cluster: cluster.name, message}];
}

/**
 * The labels of a gateway's pods include its network, and the selector of its Deployment cannot be changed
 * (1.31.0:manifests/charts/gateways/istio-ingress/templates/deployment.yaml).
 */
function recreateGateway(decided: DecidedInstall): readonly Action[] {
  const {live, rendered} = decided;
  const existing = live.installed.find(({kind, metadata: {name}}) => kind === 'Deployment' && name === eastWestName);
  const before = existing?.metadata.labels?.[networkLabel];
  if (!existing || !rendered.eastWest?.kind.component || before === undefined || before === rendered.network) return [];
  const {namespace, uid} = existing.metadata;
  const title = `delete Deployment ${eastWestName} of network ${before}, which istioctl then creates for ${rendered.network}`;
  return [
    {
      ...{kind: 'delete-object', ...base(decided, 'gateway'), title, confirm: title},
      ref: defined({apiVersion: 'apps/v1', kind: 'Deployment', name: eastWestName, namespace}),
      preconditions: defined({uid}),
    },
  ];
}

/** What a run changes besides its own installation. */
function consequences({shared, foreign, removed}: DecidedInstall): readonly string[] {
  const removals = removed.map((what) => `deletes ${what}`);
  const changes = shared.map(({what}) => `changes ${what}`);
  const takeOvers = foreign.map(({owner, object}) => `takes over ${object} from ${owner}`);
  const all = [...removals, ...changes, ...takeOvers];
  return all.length === 0 ? [] : [all.join(' and ')];
}

/** istioctl installs on a Kubernetes version that is too old for it. For one that is too new, see refuse-apply.ts. */
function kubernetesWarnings(
  cluster: string,
  {kubernetesMinor}: InstalledCluster,
  istioctl: ReportedVersion,
): readonly Warning[] {
  if (kubernetesMinor === undefined) return [];
  const support = kubernetesFit(resolveVersion(istioctl.text).version, kubernetesMinor);
  if (support.fit !== 'too old') return [];
  const server = `Kubernetes 1.${String(kubernetesMinor)}`;
  const needed = `1.${String(support.min)} or later`;
  return [{cluster, message: `${server} is too old for Istio ${istioctl.text}, which requires ${needed}`}];
}

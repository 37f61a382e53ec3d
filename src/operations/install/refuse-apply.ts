/** The reasons to refuse `install apply`. Pure. */
import {type ErrorReport, MeshError, problem, reportError} from '../../domain/errors.js';
import {refuseCa} from '../../domain/install/cacerts-ready.js';
import {refuseGateways} from '../../domain/install/east-west/decide.js';
import {refuseRename} from '../../domain/install/cluster-rename.js';
import {describeStale, installYamlDiff, installYamlState} from '../../domain/install/install-yaml.js';
import {fileChange, type RenderedFile} from '../../domain/install/rendered-file.js';
import {refuseOtherIstioctl, refuseVersionChange} from '../../domain/install/version-change.js';
import {caSourceOf} from '../../domain/istio/ca-source.js';
import {istioFor, kubernetesFit} from '../../domain/istio/kubernetes.js';
import {runningVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {resolveVersion} from '../../domain/istio/versions.js';
import {externalCaReason, usesCacerts} from '../../domain/mesh/signer.js';
import {isKnown} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Blocker} from '../../engine/operation.js';
import type {ApplyFacts, ApplyOptions, DecidedInstall, TargetFacts} from './decide-apply.js';

/** Returns the reasons to refuse the change to one cluster; `decided`: the change, if it is known. */
export function blockersOf(
  target: TargetFacts,
  decided: DecidedInstall | undefined,
  facts: ApplyFacts,
  options: ApplyOptions,
): readonly Blocker[] {
  const {
    rendering: {cluster, rendered},
    live,
  } = target;
  const {mesh} = facts.loaded;
  if (rendered instanceof MeshError) return [{cluster: cluster.name, error: reportError(rendered)}];
  const errors = [
    ...target.rendering.files.map((file) => refuseStale(cluster.name, file)),
    refuseOtherIstioctl(mesh.istio.version, facts.istioctl),
    ...(decided ? refuseLive(target, decided, facts, options) : []),
    ...(isKnown(live) ? [] : [live.unknown]),
  ];
  return errors.flatMap((error) => (error ? [{cluster: cluster.name, error}] : []));
}

/** The reasons to refuse the change that follow from the live cluster. */
function refuseLive(
  {certificates}: TargetFacts,
  decided: DecidedInstall,
  {loaded, istioctl}: ApplyFacts,
  options: ApplyOptions,
): readonly (ErrorReport | undefined)[] {
  const {cluster, live, rendered} = decided;
  const {cacerts, mountedCa, istiod, istiods} = live;
  const {namespace, clusterName, text} = rendered;
  const {signer} = loaded.mesh.trust;
  const running = istiod && caSourceOf(istiod);
  const kind = externalCaReason(signer) === undefined ? certificates : 'foreign';
  const ca = {cluster: cluster.name, namespace, wanted: kind, cacerts, mountedCa, running, installYaml: text} as const;
  return [
    usesCacerts(signer) ? refuseCa(ca) : undefined,
    refuseRename(loaded.mesh, cluster, clusterName, istiods),
    istiod && refuseVersionChange(runningVersion(istiod), istioctl, options),
    ...refuseGateway(decided, options),
    ...(decided.change === 'unchanged' ? [] : refuseObjects(decided, istioctl, options)),
  ];
}

/** The reasons that concern the east-west gateway, which is applied after istioctl has run. */
function refuseGateway(
  {cluster, live: {gateways}, rendered: {eastWest}}: DecidedInstall,
  options: ApplyOptions,
): readonly ErrorReport[] {
  if (isKnown(gateways)) return refuseGateways(cluster.name, gateways.value, eastWest, options);
  // Without a gateway there may only be objects of an earlier one: a warning.
  return eastWest === undefined ? [] : [gateways.unknown];
}

/** The reasons that concern the objects that istioctl would write. If nothing changes, it does not run. */
function refuseObjects(
  {cluster, live, foreign, shared}: DecidedInstall,
  istioctl: ReportedVersion,
  options: ApplyOptions,
): readonly (ErrorReport | undefined)[] {
  return [
    ...shared.flatMap(({what, versions}) =>
      versions.map((version) => refuseVersionChange(version, istioctl, options, `${what} (Istio ${version.text})`)),
    ),
    options.takeOver ? undefined : refuseForeign(cluster.name, foreign),
    options.forceVersion ? undefined : refuseKubernetes(cluster.name, live.kubernetesMinor, istioctl),
  ];
}

function refuseStale(cluster: string, file: RenderedFile): ErrorReport | undefined {
  const {path, present, text} = file;
  if (fileChange(file) === undefined) return undefined;
  const render = advice`render it with: ${kubectlMesh('install render', [cluster])}`;
  if (present === undefined) return problem('FILE_MISSING', `${path} not found`, render);
  if (text === undefined)
    return problem('STALE_INSTALL', `${path} is outdated: mesh.yaml no longer renders it`, render);
  const isRendered = installYamlState(present) === 'rendered';
  const stale = describeStale(present, text);
  // Without a difference in the document, the lines of the header would not show why the file is refused.
  if (isRendered && stale.isSame) return problem('STALE_INSTALL', `${path} is outdated: ${stale.text}`, render);
  const why = isRendered ? 'does not match mesh.yaml' : 'was edited or written by hand';
  const changes = installYamlDiff(present, text).map((line) => `  ${line}`);
  const hint = 'to keep changes, add them to mesh.yaml (values, overlays)';
  return problem('STALE_INSTALL', [`${path} ${why}:`, ...changes].join('\n'), render, hint);
}

function refuseForeign(cluster: string, owners: DecidedInstall['foreign']): ErrorReport | undefined {
  if (owners.length === 0) return undefined;
  return problem(
    'FOREIGN_OWNER',
    `Istio in ${cluster} was installed by ${owners.map(({owner, object}) => `${owner} (${object})`).join(', ')}: istioctl would forcibly overwrite it`,
    'change it with that installer, or use --take-over to let istioctl manage it',
  );
}

/** istioctl stops at the first object whose API the cluster does not serve, and leaves the objects before it. */
function refuseKubernetes(
  cluster: string,
  minor: number | undefined,
  istioctl: ReportedVersion,
): ErrorReport | undefined {
  const support = minor === undefined ? undefined : kubernetesFit(resolveVersion(istioctl.text).version, minor);
  if (minor === undefined || support?.fit !== 'too new') return undefined;
  const {apis, objects} = support.last;
  const fitting = istioFor(minor);
  return problem(
    'KUBERNETES_VERSION',
    `refusing to install Istio ${istioctl.text} in ${cluster}: Kubernetes 1.${String(minor)} no longer serves ${apis}, which its ${objects} use`,
    ...(fitting ? [`use Istio ${fitting.newest}, which supports Kubernetes 1.${String(minor)}`] : []),
    `if install.yaml disables all ${objects}, use --force-version`,
  );
}

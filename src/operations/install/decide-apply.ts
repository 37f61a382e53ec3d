/** The input of `install apply`, and its decision for each cluster: what changes there, and whose objects that concerns. Pure. */
import {sha256Hex} from '../../domain/keys/keys.js';
import {MeshError} from '../../domain/errors.js';
import type {CaCertificates} from '../../domain/install/cacerts-ready.js';
import {decideGateways} from '../../domain/install/east-west/decide.js';
import {type ForeignOwner, foreignOwners} from '../../domain/install/installer.js';
import {liveDigest, readRecord} from '../../domain/install/live.js';
import type {Installation} from '../../domain/install/ownership.js';
import type {Rendered} from '../../domain/install/render.js';
import {
  removedComponents,
  type SharedChange,
  sharedChanges,
  writesDefaultTag,
  writtenComponents,
  type WrittenObjects,
} from '../../domain/install/shared-objects.js';
import type {VersionOverrides} from '../../domain/install/version-change.js';
import {defaultRevision, networkLabel} from '../../domain/istio/names.js';
import {runningVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import type {InstalledCluster} from '../../observe/installed-cluster.js';
import type {ChosenVersion, Rendering} from '../../observe/renderings.js';
import type {LoadedMesh} from '../shared/load-mesh.js';

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

/** A cluster whose state and install.yaml are known, and its change. */
export interface DecidedInstall extends Pick<Rendering, 'cluster' | 'path'> {
  readonly live: InstalledCluster;
  readonly rendered: Rendered;
  readonly change: InstallChange;
  /** Other installers whose objects the change overwrites. */
  readonly foreign: readonly ForeignOwner[];
  /** What the change also changes for other control planes. */
  readonly shared: readonly SharedChange[];
  /** What the change deletes: components that install.yaml no longer contains, and Gateways. */
  readonly removed: readonly string[];
}

/** Decides the change to a cluster, if its state is known and its install.yaml can be rendered. */
export function decideInstall(
  {rendering: {cluster, path, rendered}, live: observed}: TargetFacts,
  istioctl: ReportedVersion,
  {takeOver}: Pick<ApplyOptions, 'takeOver'>,
): readonly DecidedInstall[] {
  if (!isKnown(observed) || rendered instanceof MeshError) return [];
  const live = observed.value;
  const written: WrittenObjects = {
    ...installationOf(rendered, live.recorded),
    components: writtenComponents(rendered),
    defaultTag: writesDefaultTag(rendered),
  };
  const foreign = foreignOwners(live.installed, written);
  const shared = sharedChanges(live.installed, written);
  // If everything is as the last run left it, foreign objects are left over from installations that it replaced.
  const isUnchanged = isAsRecorded(live, rendered, istioctl) && !(takeOver && foreign.length > 0);
  const change = isUnchanged ? 'unchanged' : changeOf(live, rendered, istioctl, foreign);
  const removed = [
    ...removedComponents(live.installed, written).map((title) => `the ${title}`),
    ...(isKnown(live.gateways) ? decideGateways(live.gateways.value, rendered.eastWest).removes : []).map((object) =>
      describeRef(refOf(object)),
    ),
  ];
  return [{cluster, path, live, rendered, change, foreign, shared, removed}];
}

/** Returns the installation of a document. */
export function installationOf(
  {namespace, revision = defaultRevision}: Pick<Rendered, 'namespace' | 'revision'>,
  recorded: readonly string[],
): Installation {
  return {namespace, revision, recorded};
}

/** Whether the last run applied the same bytes with the same istioctl, and nothing has changed since. */
function isAsRecorded(live: InstalledCluster, rendered: Rendered, istioctl: ReportedVersion): boolean {
  const record = readRecord(live.record);
  const digest = liveDigest(live.installed, installationOf(rendered, live.recorded));
  return (
    live.istiod !== undefined &&
    record?.installYaml === sha256Hex(rendered.text) &&
    record.istioctl === istioctl.text &&
    digest !== undefined &&
    record.live === digest &&
    networkOf(live) === rendered.network
  );
}

/** The change to a cluster that is not as recorded. */
function changeOf(
  live: InstalledCluster,
  rendered: Rendered,
  istioctl: ReportedVersion,
  foreign: readonly ForeignOwner[],
): InstallChange {
  if (!live.istiod) return 'install';
  const record = readRecord(live.record);
  const isRepair = record?.installYaml === sha256Hex(rendered.text) && foreign.length === 0;
  if (isRepair && record.istioctl === istioctl.text) return 'repair';
  if (runningVersion(live.istiod).text !== istioctl.text) return 'upgrade';
  return isRepair ? 'repair' : 'replace';
}

/** The network on the label of Istio's namespace. */
export function networkOf({namespace}: InstalledCluster): string | undefined {
  return namespace?.metadata.labels?.[networkLabel];
}

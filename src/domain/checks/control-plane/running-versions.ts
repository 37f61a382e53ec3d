/** The versions of the processes of one istiod Deployment. */
import {formatMinor, type IstioVersion, parseVersion} from '../../istio/version.js';
import {type KnownVersion, newestKnown, resolveVersion} from '../../istio/versions.js';
import type {Finding} from '../check.js';
import type {ControlPlaneFacts, IstiodMetrics, PodPart} from '../../facts/facts.js';

/** The version that a pod reports. */
export interface PodVersion {
  readonly pod: string;
  readonly text: string;
  readonly version: IstioVersion;
}

/** Returns the control plane of an istiod pod. */
export function controlPlaneOf(
  pod: string,
  controlPlanes: readonly ControlPlaneFacts[],
): ControlPlaneFacts | undefined {
  return controlPlanes.find(({workload}) => workload.pods.some(({name}) => name === pod));
}

type Metrics = readonly PodPart<Pick<IstiodMetrics, 'version'>>[];

/** Returns the versions that pods of a Deployment report in their metrics, where they name releases. */
export function reportedVersions({workload}: ControlPlaneFacts, metrics: Metrics): readonly PodVersion[] {
  return metrics.flatMap(({name, value}) => {
    const version = workload.pods.some((pod) => pod.name === name) ? parseVersion(value.version) : undefined;
    return version ? [{pod: name, text: value.version, version}] : [];
  });
}

/** Returns the version that a Deployment states: its image's tag, or a label if the tag names no release. */
export function statedVersion({labeledVersion, tag}: Pick<ControlPlaneFacts, 'labeledVersion' | 'tag'>): string {
  return labeledVersion ?? tag;
}

/** What a finding states about a version that is newer than the newest known one, after what is unknown about it. */
export function newerThanKnown(text: string): Required<Pick<Finding, 'expected' | 'note'>> & {readonly why: string} {
  const newest = formatMinor(newestKnown);
  return {
    why: `Istio ${text} is newer than ${newest}, the newest known version`,
    expected: `an Istio release up to ${newest}`,
    note: `use a version of kubectl mesh that supports Istio ${text}`,
  };
}

/** A running version, and how it was resolved. */
export type RunningVersion = Pick<KnownVersion, 'text' | 'version' | 'status'>;

/**
 * Returns the different versions that run: the Deployment's, or those that its pods report if neither its image nor its labels
 * name a release. Never empty.
 */
export function runningVersions(controlPlane: ControlPlaneFacts, metrics: Metrics): readonly RunningVersion[] {
  const {version, versionStatus: status} = controlPlane;
  const reported = status === 'unparsed' ? reportedVersions(controlPlane, metrics) : [];
  if (reported.length === 0) return [{text: statedVersion(controlPlane), version, status}];
  return [...new Set(reported.map(({text}) => text))].map((text) => resolveVersion(text));
}

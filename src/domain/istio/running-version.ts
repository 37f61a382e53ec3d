/** The version of an installed istiod, as its Deployment states it. The process itself may report another one. */
import {defined} from '../defined.js';
import type {DeploymentObject} from '../kube/objects.js';
import {printableLine} from '../printable.js';
import {istiodTag} from './image.js';
import {type IstioVersion, parseVersion} from './version.js';
import {type KnownVersion, resolveVersion} from './versions.js';

/** A version as a tool, an image or a label states it, parsed if it names a release. */
export interface ReportedVersion {
  readonly text: string;
  readonly parsed?: IstioVersion;
}

/** Parses a reported version. */
export function reportedVersion(text: string): ReportedVersion {
  return defined<ReportedVersion>({text: printableLine(text), parsed: parseVersion(text)});
}

/** The label with the version of istioctl (istio/istio operator/pkg/manifest/name.go). */
export const istioctlVersionLabel = 'operator.istio.io/version';

/**
 * The labels with the version, for images that are referenced by digest or mirrored under a tag of their own: istioctl's, and
 * that of charts since 1.24 (1.31.0:manifests/zzz_profile.yaml).
 */
const versionLabels = [istioctlVersionLabel, 'app.kubernetes.io/version'];

type Istiod = Pick<DeploymentObject, 'metadata'> & Partial<Pick<DeploymentObject, 'spec'>>;

/** Returns the version of an istiod Deployment: its image's tag, or a label's if the tag is not a release. */
export function runningVersion({metadata, spec}: Istiod): ReportedVersion {
  const tag = istiodTag(spec?.template.spec.containers ?? []);
  const labels = versionLabels.map((name) => metadata.labels?.[name]);
  const candidates = [tag, ...labels].flatMap((text) =>
    text === undefined || text === '' ? [] : [reportedVersion(text)],
  );
  return candidates.find(({parsed}) => parsed) ?? candidates.at(-1) ?? {text: 'unknown'};
}

/** Resolves {@link runningVersion} to a version whose facts are known. */
export function resolveRunning(deployment: Istiod): KnownVersion {
  const {text} = runningVersion(deployment);
  return resolveVersion(text === 'unknown' ? '' : text);
}

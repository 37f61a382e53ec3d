import {defined} from '../defined.js';
import {type ErrorReport, problem} from '../errors.js';
import type {DeploymentObject} from '../kube/objects.js';
import {istiodTag} from '../istio/image.js';
import {type IstioVersion, compareVersions, formatVersion, parseVersion, satisfies} from '../istio/version.js';
import {printableLine} from '../printable.js';
import {advice, kubectlMesh} from '../suggest/suggestion.js';

/** A version as it was said, and parsed where it names a release. */
export interface ReportedVersion {
  readonly text: string;
  readonly parsed?: IstioVersion;
}

/** Reads what was said. */
export function reportedVersion(said: string): ReportedVersion {
  return defined<ReportedVersion>({text: printableLine(said), parsed: parseVersion(said)});
}

/** Istio's installer writes its own version here (istio/istio operator/pkg/manifest/name.go). */
const versionLabel = 'operator.istio.io/version';

/** The version that an istiod Deployment runs: its image's tag, or what the installer says where that names no release. */
export function runningVersion({
  metadata,
  spec,
}: Pick<DeploymentObject, 'metadata'> & Partial<Pick<DeploymentObject, 'spec'>>): ReportedVersion {
  const tag = istiodTag(spec?.template.spec.containers ?? []);
  const label = metadata.labels?.[versionLabel];
  const candidates = [tag, label].flatMap((text) => (text === undefined || text === '' ? [] : [reportedVersion(text)]));
  return candidates.find(({parsed}) => parsed) ?? candidates.at(-1) ?? {text: 'unknown'};
}

/** What was agreed to: `--upgrade`, `--force-version`. */
export interface VersionOverrides {
  readonly upgrade: boolean;
  readonly forceVersion: boolean;
}

/**
 * Why this istioctl must not replace what runs: it would change the version (`--upgrade`), go back, or skip a minor
 * (`--force-version`: Istio supports neither; istio.io docs/setup/upgrade). Undefined when it may.
 */
export function refuseVersionChange(
  running: ReportedVersion,
  istioctl: ReportedVersion,
  {upgrade, forceVersion}: VersionOverrides,
): ErrorReport | undefined {
  const refuse = (why: string, hint: string): ErrorReport =>
    problem(
      'VERSION_CHANGE',
      `istiod ${running.text} runs, and istioctl ${istioctl.text} would replace it${why}`,
      hint,
    );
  const [from, to] = [running.parsed, istioctl.parsed];
  if (forceVersion || running.text === istioctl.text) return undefined;
  if (!from || !to) {
    if (upgrade) return undefined;
    return refuse('; whether that is another version cannot be told', 'say --upgrade if it may change the version');
  }
  const order = compareVersions(to, from);
  if (order === 0) return undefined;
  if (order < 0) return refuse(': a downgrade', `use the istioctl of ${formatVersion(from)}, or say --force-version`);
  if (from.major !== to.major || to.minor - from.minor > 1) {
    const hint = 'upgrade one minor version after the other, or say --force-version';
    return refuse(': that skips a minor version', hint);
  }
  return upgrade ? undefined : refuse(': an upgrade', 'say --upgrade to change the version');
}

/** Why this istioctl is not the one mesh.yaml asks for. Undefined when it is, or when mesh.yaml is silent. */
export function refuseOtherIstioctl(declared: string | undefined, istioctl: ReportedVersion): ErrorReport | undefined {
  const wanted = declared === undefined ? undefined : parseVersion(declared);
  if (declared === undefined || !wanted || (istioctl.parsed && satisfies(istioctl.parsed, wanted))) return undefined;
  return problem(
    'VERSION_CHANGE',
    `mesh.yaml says Istio ${declared}, and istioctl is ${istioctl.text}`,
    `put the istioctl of ${declared} first in PATH`,
    advice`or change istio.version in mesh.yaml, and render again: ${kubectlMesh('install render')}`,
  );
}

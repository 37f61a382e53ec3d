import {type ErrorReport, problem} from '../errors.js';
import type {ReportedVersion} from '../istio/running-version.js';
import {compareVersions, formatVersion, parseVersion, satisfies} from '../istio/version.js';
import {advice, kubectlMesh} from '../suggest/suggestion.js';

/** The flags that permit a version change: `--upgrade`, `--force-version`. */
export interface VersionOverrides {
  readonly upgrade: boolean;
  readonly forceVersion: boolean;
}

/**
 * Returns why this istioctl must not replace the running version, or undefined if it may. It must not change the version
 * without `--upgrade`. It must not downgrade or skip a minor version without `--force-version`: Istio supports neither
 * (istio.io docs/setup/upgrade). `what`: the objects that have this version.
 */
export function refuseVersionChange(
  running: ReportedVersion,
  istioctl: ReportedVersion,
  {upgrade, forceVersion}: VersionOverrides,
  what = `istiod ${running.text}`,
): ErrorReport | undefined {
  const refuse = (why: string, hint: string): ErrorReport =>
    problem('VERSION_CHANGE', `refusing to replace ${what} with istioctl ${istioctl.text}: ${why}`, hint);
  const [from, to] = [running.parsed, istioctl.parsed];
  if (forceVersion || running.text === istioctl.text) return undefined;
  if (!from || !to) {
    if (upgrade) return undefined;
    return refuse('the versions cannot be compared', 'to replace it even if the version changes, use --upgrade');
  }
  const order = compareVersions(to, from);
  if (order === 0) return undefined;
  if (order < 0) {
    return refuse('this is a downgrade', `use istioctl ${formatVersion(from)}, or downgrade with --force-version`);
  }
  if (from.major !== to.major || to.minor - from.minor > 1) {
    return refuse('this skips a minor version', 'upgrade one minor version at a time, or use --force-version');
  }
  return upgrade ? undefined : refuse('this is an upgrade', 'to upgrade, use --upgrade');
}

/** Returns why istioctl does not have the version in mesh.yaml; undefined if it does or if mesh.yaml has no version. */
export function refuseOtherIstioctl(declared: string | undefined, istioctl: ReportedVersion): ErrorReport | undefined {
  const wanted = declared === undefined ? undefined : parseVersion(declared);
  if (declared === undefined || !wanted || (istioctl.parsed && satisfies(istioctl.parsed, wanted))) return undefined;
  return problem(
    'VERSION_CHANGE',
    `mesh.yaml declares Istio ${declared}, but istioctl is ${istioctl.text}`,
    `put istioctl ${declared} first in PATH`,
    advice`or change istio.version in mesh.yaml and render again: ${kubectlMesh('install render')}`,
  );
}

import {isSkewed, parseVersion, satisfies, type IstioVersion} from '../../istio/version.js';
import {type ClusterSubject, type Finding, apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {ControlPlaneFacts, IstiodMetrics, PodPart} from '../../facts/facts.js';
import {editMeshYaml, reinstallFix, upgradeFix} from '../fixes.js';
import {reportedVersions, statedVersion} from './running-versions.js';

/** The running versions and revisions are those in mesh.yaml. */
export const versionCheck = apiServerCheck({
  id: 'MESH408',
  title: 'Every istiod runs the declared version and revision',
  requires: ['controlPlanes'],
  // The version that the running process reports: used where the tag names no release.
  optional: ['istiodMetrics'],
  judge: ({controlPlanes, istiodMetrics = []}, subject) => {
    const {version, revisions} = subject.mesh.istio;
    if (version === undefined && revisions === undefined) {
      return notApplicable('mesh.yaml declares neither istio.version nor istio.revisions');
    }
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    const findings = [
      ...controlPlanes.flatMap((one) => versionFindings(one, istiodMetrics, subject)),
      ...revisionFindings(controlPlanes, subject),
    ];
    const declared = [
      ...(version === undefined ? [] : [`Istio ${version}`]),
      ...(revisions === undefined ? [] : [`revisions ${revisions.join(', ')}`]),
    ];
    const running = controlPlanes.map((one) => `${one.workload.name} ${statedVersion(one)}`);
    return findingsOr(findings, ok(running.join(', '), declared.join(', ')));
  },
  meaning:
    'The image of every istiod has the version that mesh.yaml declares (1.30 means any 1.30 release, 1.30.3 only that one), and every istiod has a declared revision. If several revisions are declared, `kubectl mesh install apply` installs the last one, which must have that version; the others may be one minor version away from it. For a tag that names no release (latest, a digest, a custom build), the version that the process reports is used; if it was not queried, that of the label operator.istio.io/version or app.kubernetes.io/version; without one, a warning reports the version as unknown.',
  breaks:
    'The declared version determines everything that depends on it: the schema version of install.yaml, and what can be pushed without a restart. An undeclared istiod is never upgraded.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -L istio.io/rev -o wide\nkubectl --context "$CTX" -n istio-system exec deployment/istiod -- pilot-discovery version --short',
  fix: 'Apply the declared version with its istioctl, or declare the running one. Remove an old revision that no namespace uses with `istioctl uninstall --revision REVISION`.',
  source:
    'istio.io: docs/setup/upgrade, docs/setup/upgrade/canary, docs/releases/supported-releases#control-planedata-plane-skew',
});

function versionFindings(
  controlPlane: ControlPlaneFacts,
  metrics: readonly PodPart<IstiodMetrics>[],
  {cluster, mesh}: ClusterSubject,
): readonly Finding[] {
  const {revision, workload, tag, labeledVersion} = controlPlane;
  const declared = mesh.istio.version;
  const wanted = declared === undefined ? undefined : parseVersion(declared);
  if (declared === undefined || !wanted) return [];
  // install.yaml installs the last revision.
  const isOther = mesh.istio.revisions !== undefined && revision !== mesh.istio.revisions.at(-1);
  const isWrong = (actual: IstioVersion): boolean => (isOther ? isSkewed(actual, wanted) : !satisfies(actual, wanted));
  const expected = isOther ? `Istio ${declared}, or one minor version away from it` : `Istio ${declared}`;
  const tagged = parseVersion(tag);
  const finding = (observed: string, runs: string): Finding => ({
    observed,
    expected,
    fix: upgradeFix({cluster}, runs, declared),
  });
  if (tagged && isWrong(tagged)) return [finding(`${workload.name} runs ${tag}`, tag)];
  const processes = reportedVersions(controlPlane, metrics);
  const wrong = processes.filter((process) => isWrong(process.version));
  // During a rollout, an old pod still runs next to pods of the right version.
  if (wrong.length > 0 && wrong.length === processes.length) {
    const image = `its image has ${tag === '' ? 'no tag' : `the tag ${tag}`}`;
    return wrong.map(({pod, text}) => finding(`${pod} reports version ${text}; ${image}`, text));
  }
  if (tagged || processes.length > 0 || (tag !== '' && tag === mesh.istio.tag)) return [];
  const labeled = parseVersion(labeledVersion ?? '');
  if (labeledVersion !== undefined && labeled) {
    return isWrong(labeled) ? [finding(`${workload.name} is labeled as ${labeledVersion}`, labeledVersion)] : [];
  }
  const image = tag === '' ? 'has no tag' : `has the tag ${tag}, which names no release`;
  const observed = `whether ${workload.name} runs ${declared} is unknown: its image ${image}`;
  return [{...finding(observed, tag), severity: 'warning'}];
}

function revisionFindings(
  controlPlanes: readonly ControlPlaneFacts[],
  {cluster, mesh}: ClusterSubject,
): readonly Finding[] {
  const {revisions} = mesh.istio;
  if (revisions === undefined) return [];
  const expected = `revisions ${revisions.join(', ')}`;
  const edit = editMeshYaml();
  const undeclared = controlPlanes
    .filter(({revision}) => !revisions.includes(revision))
    .map(({revision, workload}) => ({
      observed: `${workload.name} has revision ${revision}, which mesh.yaml does not declare`,
      fix: edit,
    }));
  const missing = revisions
    .filter((declared) => !controlPlanes.some(({revision}) => revision === declared))
    .map((declared) => ({
      observed: `no istiod has the declared revision ${declared}`,
      fix: declared === revisions.at(-1) ? reinstallFix({cluster}) : edit,
    }));
  return [...undeclared, ...missing].map((found) => ({...found, severity: 'warning', expected}));
}

import {isSkewed, parseVersion, satisfies, type IstioVersion} from '../../istio/version.js';
import {type ClusterSubject, type Finding, apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {ControlPlaneFacts, IstiodMetrics, Part} from '../../facts/facts.js';
import {editMeshYaml, reinstallFix, upgradeFix} from '../fixes.js';

/** What runs is what mesh.yaml says. */
export const versionCheck = apiServerCheck({
  id: 'MESH408',
  title: 'Every istiod runs the declared version and revision',
  requires: ['controlPlanes'],
  // What the running process says of itself: it settles what a tag leaves open.
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
    const running = controlPlanes.map(({workload, tag}) => `${workload.name} ${tag}`);
    return findingsOr(findings, ok(running.join(', '), declared.join(', ')));
  },
  meaning:
    "The image of every istiod has the version that mesh.yaml declares (1.30 is every 1.30, 1.30.3 only that), and every istiod is of a declared revision. Where several revisions are declared, the last one is the one that is installed and has to have that version; the others may be one minor away from it. A tag that names no release (latest, a digest, a build of one's own) is judged by what the process says of its version; where nobody asked it, that cannot be told, and is said.",
  breaks:
    'Everything that depends on the version is decided by the declared one: the form of install.yaml, and what may be pushed without a restart. An istiod that nobody declared is upgraded by nobody.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -L istio.io/rev -o wide\nkubectl --context "$CTX" -n istio-system exec deployment/istiod -- pilot-discovery version --short',
  howToFix: 'Apply the declared version with its istioctl, or declare what runs. An old revision that no namespace uses any more: `istioctl uninstall --revision REVISION`.',
  source:
    'istio.io: docs/setup/upgrade, docs/setup/upgrade/canary, docs/releases/supported-releases#control-planedata-plane-skew',
});

function versionFindings(
  {revision, workload, tag}: ControlPlaneFacts,
  metrics: readonly Part<IstiodMetrics>[],
  {cluster, mesh}: ClusterSubject,
): readonly Finding[] {
  const declared = mesh.istio.version;
  const wanted = declared === undefined ? undefined : parseVersion(declared);
  if (declared === undefined || !wanted) return [];
  // install.yaml installs the last one.
  const beside = mesh.istio.revisions !== undefined && revision !== mesh.istio.revisions.at(-1);
  const isWrong = (actual: IstioVersion): boolean => (beside ? isSkewed(actual, wanted) : !satisfies(actual, wanted));
  const expected = beside ? `Istio ${declared}, or one minor away from it` : `Istio ${declared}`;
  const tagged = parseVersion(tag);
  const finding = (observed: string, runs: string): Finding => ({
    observed,
    expected,
    fix: upgradeFix({cluster}, runs, declared),
  });
  if (tagged && isWrong(tagged)) return [finding(`${workload.name} runs ${tag}`, tag)];
  const processes = metrics.flatMap(({name, value}) => {
    const actual = workload.pods.some((pod) => pod.name === name) ? parseVersion(value.version) : undefined;
    return actual ? [{name, said: value.version, actual}] : [];
  });
  const wrong = processes.filter(({actual}) => isWrong(actual));
  // While a Deployment rolls, a pod of before still runs beside those that are right.
  if (wrong.length > 0 && wrong.length === processes.length) {
    const image = `its image is tagged ${tag === '' ? 'with nothing' : tag}`;
    return wrong.map(({name, said}) => finding(`${name} says that it runs ${said}, ${image}`, said));
  }
  if (tagged || processes.length > 0 || (tag !== '' && tag === mesh.istio.tag)) return [];
  const image = tag === '' ? 'has no tag' : `is tagged ${tag}, which names no release`;
  const untold = `whether ${workload.name} runs ${declared} cannot be told: its image ${image}`;
  return [{...finding(untold, tag), severity: 'warning'}];
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
      observed: `${workload.name} is of revision ${revision}, which mesh.yaml does not declare`,
      fix: edit,
    }));
  const missing = revisions
    .filter((declared) => !controlPlanes.some(({revision}) => revision === declared))
    .map((declared) => ({
      observed: `no istiod is of the declared revision ${declared}`,
      fix: declared === revisions.at(-1) ? reinstallFix({cluster}) : edit,
    }));
  return [...undeclared, ...missing].map((found) => ({...found, severity: 'warning', expected}));
}

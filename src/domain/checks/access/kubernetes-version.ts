import {type FittingIstio, istioFor, kubernetesFit} from '../../istio/kubernetes.js';
import {isUnknownVersion, resolveVersion} from '../../istio/versions.js';
import {inspectWith, sequence} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {newerThanKnown, type RunningVersion, runningVersions} from '../control-plane/running-versions.js';
import {editMeshYaml, upgradeFix} from '../fixes.js';

/** The Kubernetes version is supported by the Istio version that runs there or is declared for it. */
export const kubernetesVersionCheck = apiServerCheck({
  id: 'MESH205',
  title: 'The Istio version supports the Kubernetes version',
  requires: ['apiVersion', 'controlPlanes'],
  // The version that the process reports, used where neither the tag nor a label names a release.
  optional: ['istiodMetrics'],
  waitable: false,
  judge: ({apiVersion, controlPlanes, istiodMetrics = []}, {cluster, mesh}) => {
    const running = controlPlanes.flatMap((one) => runningVersions(one, istiodMetrics));
    const versions = versionsToFit(running, mesh.istio.version);
    if (versions.length === 0) {
      return notApplicable(
        controlPlanes.length === 0
          ? 'no istiod runs here, and mesh.yaml does not declare istio.version'
          : "neither the tag of istiod's image nor a label nor its metrics name a release, and mesh.yaml does not declare istio.version",
      );
    }
    const server = `Kubernetes ${apiVersion.gitVersion}`;
    const findings = versions.map((istio): Finding | undefined => {
      const known = resolveVersion(istio);
      if (isUnknownVersion(known)) {
        const {why, ...advice} = newerThanKnown(istio);
        return {
          severity: 'warning',
          observed: `whether Istio ${istio} supports ${server} is unknown: ${why}`,
          fix: inspectWith.kubectl(cluster, ['version']),
          ...advice,
        };
      }
      const suits = kubernetesFit(known.version, apiVersion.minor);
      switch (suits.fit) {
        case 'fits':
          return undefined;
        case 'too old':
          return {
            severity: 'warning',
            observed: `${server} is older than Istio ${istio} supports`,
            expected: `Kubernetes 1.${String(suits.min)} or later`,
            // Only the cluster's administrator can upgrade it.
            fix: inspectWith.kubectl(cluster, ['version']),
          };
        case 'too new': {
          const {apis, objects, minor} = suits.last;
          const fitting = istioFor(apiVersion.minor);
          const other = fitting ? `, or Istio ${rangeOf(fitting)}` : '';
          return {
            observed: `${server} no longer serves ${apis}, which the ${objects} of Istio ${istio} use`,
            expected: `Kubernetes 1.${String(minor)} or earlier${other}`,
            fix: sequence(editMeshYaml(), upgradeFix({cluster}, istio, fitting?.newest)),
          };
        }
      }
    });
    return findingsOr(findings, ok(`${server} and Istio ${versions.join(', ')}`, 'a supported combination'));
  },
  meaning:
    'The running Istio version, or the one declared in mesh.yaml if none runs yet, supports the Kubernetes version of the API server. A Kubernetes version that is too old is a warning, as in istioctl. One that is too new to install Istio on (1.22 and later for Istio 1.6 to 1.9, 1.25 and later for Istio 1.10 to 1.13) is an error.',
  breaks:
    'Istio is not tested on older Kubernetes versions, which may lack API versions that its objects use. On a version that is too new, istioctl cannot create the webhooks (Istio 1.6 to 1.9), PodDisruptionBudgets and HorizontalPodAutoscalers (1.10 to 1.13), and stops at the first of them.',
  byHand:
    'kubectl --context "$CTX" version\nkubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..image}"',
  fix: 'Upgrade Kubernetes, or install a supported Istio version: set istio.version in mesh.yaml, render install.yaml, and apply it with the istioctl of that version.',
  source:
    'istio/istio istioctl/pkg/install/k8sversion/version.go and manifests/charts at each release; kubernetes.io: reference/using-api/deprecation-guide (v1.22, v1.25); istio.io: docs/releases/supported-releases',
});

/** `1.16`, `1.19 to 1.20`. */
function rangeOf({oldest, newest}: FittingIstio): string {
  return oldest === newest ? newest : `${oldest} to ${newest}`;
}

/** The running versions that are releases; if there is none, the declared one. */
function versionsToFit(running: readonly RunningVersion[], declared: string | undefined): readonly string[] {
  const releases = running.filter(({status}) => status !== 'unparsed').map(({text}) => text);
  return releases.length === 0 && declared !== undefined ? [declared] : [...new Set(releases)];
}

import {kubernetesFit} from '../../istio/kubernetes.js';
import {formatMinor, parseVersion} from '../../istio/version.js';
import {resolveVersion, newestKnown} from '../../istio/versions.js';
import {inspectWith, sequence} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {ControlPlaneFacts} from '../../facts/facts.js';
import {editMeshYaml, upgradeFix} from '../fixes.js';

/** Kubernetes is neither too old nor too new for the Istio that runs there, or is to run there. */
export const kubernetesVersionCheck = apiServerCheck({
  id: 'MESH205',
  title: 'The Kubernetes version fits the Istio version',
  needs: ['apiVersion', 'controlPlanes'],
  waitable: false,
  judge: ({apiVersion, controlPlanes}, {cluster, mesh}) => {
    const versions = versionsToFit(controlPlanes, mesh.istio.version);
    if (versions.length === 0) {
      return notApplicable(
        controlPlanes.length === 0
          ? 'no istiod runs here, and mesh.yaml declares no istio.version'
          : 'the image of istiod names no release, and mesh.yaml declares no istio.version',
      );
    }
    const server = `Kubernetes ${apiVersion.gitVersion}`;
    const findings = versions.map((said): Finding | undefined => {
      const suits = kubernetesFit(resolveVersion(said).version, apiVersion.minor);
      switch (suits.fit) {
        case 'fits':
          return undefined;
        case 'too old':
          return {
            severity: 'warning',
            observed: `${server} is older than Istio ${said} supports`,
            expected: `Kubernetes 1.${String(suits.min)} or later`,
            // Only whoever keeps the cluster can upgrade it.
            fix: inspectWith.kubectl(cluster, ['version']),
          };
        case 'too new':
          return {
            observed: `${server} no longer serves the webhooks (admissionregistration.k8s.io/v1beta1) of Istio ${said}`,
            expected: `Kubernetes 1.${String(suits.max)} or earlier, or Istio 1.10 or later`,
            fix: sequence(editMeshYaml(), upgradeFix({cluster}, said, formatMinor(newestKnown))),
          };
      }
    });
    return findingsOr(findings, ok(`${server} and Istio ${versions.join(', ')}`, 'versions that fit'));
  },
  meaning:
    'The API server is a Kubernetes that the running Istio was made for; where none runs yet, the one that mesh.yaml declares. Older than supported is a warning, as istioctl gives it; too new to be installed on at all (1.22 and later with Istio 1.6 to 1.9) an error.',
  breaks:
    'On an older Kubernetes nobody tests Istio: it may lack API versions that its objects use. On one that is too new, injection and validation webhooks cannot be created.',
  byHand:
    'kubectl --context "$CTX" version\nkubectl --context "$CTX" -n istio-system get deployment -l app=istiod -o jsonpath="{..image}"',
  mend: 'Upgrade Kubernetes, or install an Istio that fits: say it as istio.version in mesh.yaml, render, and apply with the istioctl of that version.',
  source:
    'istio/istio istioctl/pkg/install/k8sversion/version.go and manifests/charts at each release; kubernetes.io: reference/using-api/deprecation-guide (v1.22); istio.io: docs/releases/supported-releases',
});

/** What runs, where it says so; otherwise what is declared. */
function versionsToFit(controlPlanes: readonly ControlPlaneFacts[], declared: string | undefined): readonly string[] {
  const running = controlPlanes.map(({tag}) => tag).filter((tag) => parseVersion(tag) !== undefined);
  return running.length === 0 && declared !== undefined ? [declared] : [...new Set(running)];
}

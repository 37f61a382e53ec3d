import {externalCertProvider} from '../../istio/environment.js';
import {controlPlaneClusterOf} from '../../mesh/mesh.js';
import {fixWith, type Suggestion, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import {describeRoots} from '../describe.js';
import {some} from '../../format.js';
import {restartFix} from '../fixes.js';
import type {CaBundleFacts, ControlPlaneFacts, WebhookConfigurationFacts, WebhookFacts} from '../../facts/facts.js';

/** The API server trusts the istiod that its injection and validation webhooks call. */
export const webhooksCheck = apiServerCheck({
  id: 'MESH306',
  title: 'Webhooks trust the roots that istiod has loaded',
  requires: ['webhooks', 'liveRoots', 'controlPlanes'],
  judge: ({webhooks, liveRoots, controlPlanes}, subject) => {
    if (controlPlanes.length === 0 && subject.cluster.role === 'primary') return notApplicable('no istiod runs here');
    if (liveRoots === 'ClusterTrustBundle') {
      return notApplicable('istiod publishes its roots in a ClusterTrustBundle, which is not read');
    }
    const isOwn = ({workload}: ControlPlaneFacts): boolean => externalCertProvider(workload.env) === undefined;
    const isOurs = callsIstiod(controlPlanes.filter(isOwn), subject.cluster.role);
    const judged = webhooks
      .map((one) => ({...one, webhooks: one.webhooks.filter(isOurs)}))
      .filter((one) => one.webhooks.length > 0);
    if (judged.length === 0)
      return notApplicable('no webhook calls an istiod that serves with a certificate of its own CA');
    const loaded = liveRoots.certificates.map(({fingerprint}) => fingerprint);
    const expected = `${describeRoots(loaded)}, as in ${liveRoots.from}`;
    const findings = judged.map((one): Finding | undefined => {
      const wrong = one.webhooks.filter(
        ({caBundle}) =>
          !holdsAll(caBundle, loaded) ||
          typeof caBundle !== 'object' ||
          !caBundle.roots.every((root) => loaded.includes(root)),
      );
      if (wrong.length === 0) return undefined;
      const bundles = [...new Set(wrong.map(({caBundle}) => describeBundle(caBundle)))];
      const names = some(wrong.map(({name}) => name));
      return {
        severity: wrong.every(({caBundle}) => holdsAll(caBundle, loaded)) ? 'warning' : 'error',
        observed: `${one.kind} ${one.name}: ${bundles.join('; ')} (${names})`,
        expected,
        fix: fixFor(one, controlPlanes, subject),
      };
    });
    return findingsOr(findings, ok(some(judged.map(({name}) => name)), expected));
  },
  meaning:
    "The caBundle of every webhook that calls an istiod of this cluster, including those of revision tags, contains the same certificates as the bundle that istiod has loaded. istiod patches the caBundle within seconds if the label istio.io/rev of the webhook configuration names istiod's own revision.",
  breaks:
    'The API server does not trust istiod: "x509: certificate signed by unknown authority". The API server rejects new pods in injected namespaces (failurePolicy: Fail) and changes to Istio resources. Running workloads are not affected, so the failure appears only at the next deployment.',
  byHand:
    'kubectl --context "$CTX" get mutatingwebhookconfiguration istio-sidecar-injector --show-labels -o jsonpath="{.webhooks[0].clientConfig.caBundle}" | base64 -d | openssl x509 -noout -subject -fingerprint -sha256\nkubectl --context "$CTX" get mutatingwebhookconfigurations,validatingwebhookconfigurations -L istio.io/rev,istio.io/tag',
  fix: 'If the label istio.io/rev does not name the revision of the istiod behind the Service, set it: istiod patches the caBundle within seconds. Otherwise, restart that istiod: it patches all webhooks when it starts. Change a caBundle that was set explicitly (values base.validationCABundle, istiodRemote.injectionCABundle) where it is set.',
  source: 'istio/istio pkg/webhooks/webhookpatch.go, pkg/webhooks/validation/controller/controller.go',
});

/** Whether a webhook calls an istiod: by its own Service or that of a revision tag (revision-tags-svc.yaml). A remote runs none. */
function callsIstiod(
  controlPlanes: readonly ControlPlaneFacts[],
  role: 'primary' | 'remote',
): (webhook: WebhookFacts) => boolean {
  const names = new Set(controlPlanes.map(({workload}) => workload.name));
  return ({service}) =>
    names.has(service) ||
    (names.size > 0 && service.startsWith('istiod-revision-tag-')) ||
    (names.size === 0 && role === 'remote' && /^istiod(?:-|$)/.test(service));
}

function holdsAll(bundle: CaBundleFacts, loaded: readonly string[]): boolean {
  return typeof bundle === 'object' && loaded.every((root) => bundle.roots.includes(root));
}

function describeBundle(bundle: CaBundleFacts): string {
  if (bundle === 'empty') return 'an empty caBundle';
  return bundle === 'unreadable' ? 'an unreadable caBundle' : `a caBundle with ${describeRoots(bundle.roots)}`;
}

function fixFor(
  {kind, name, revision, webhooks}: WebhookConfigurationFacts,
  controlPlanes: readonly ControlPlaneFacts[],
  {cluster, mesh}: ClusterSubject,
): Suggestion {
  const called = controlPlanes.find(({workload}) => webhooks.some(({service}) => service === workload.name));
  const own = called ?? controlPlanes.find((one) => one.revision === revision) ?? controlPlanes[0];
  if (own && own.revision !== revision) {
    return fixWith.kubectl(
      cluster,
      words`label ${kind.toLowerCase()} ${name} istio.io/rev=${own.revision} --overwrite`,
    );
  }
  if (own) return restartFix({cluster, mesh}, own.workload.name);
  // A remote cluster runs no istiod: its primary's istiod patches the webhooks.
  return restartFix({cluster: controlPlaneClusterOf(cluster, mesh), mesh});
}

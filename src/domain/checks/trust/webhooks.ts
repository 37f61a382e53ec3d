import {otherCertProvider} from '../../istio/environment.js';
import {fixWith, type Suggestion, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import {describeRoots} from '../describe.js';
import {some} from '../../format.js';
import {restartFix} from '../fixes.js';
import type {CaBundleFacts, ControlPlaneFacts, WebhookConfigurationFacts, WebhookFacts} from '../../facts/facts.js';

/** The API server trusts the istiod that it calls to inject and to validate. */
export const webhooksCheck = apiServerCheck({
  id: 'MESH306',
  title: 'Webhooks trust the roots that istiod has loaded',
  needs: ['webhooks', 'liveRoots', 'controlPlanes'],
  judge: ({webhooks, liveRoots, controlPlanes}, subject) => {
    if (controlPlanes.length === 0 && subject.cluster.role === 'primary') return notApplicable('no istiod runs here');
    if (liveRoots === 'elsewhere') {
      return notApplicable('istiod publishes its roots by other means than ConfigMaps');
    }
    const isOwn = ({workload}: ControlPlaneFacts): boolean => otherCertProvider(workload.env) === undefined;
    const isOurs = leadsTo(controlPlanes.filter(isOwn), subject.cluster.role);
    const judged = webhooks
      .map((one) => ({...one, webhooks: one.webhooks.filter(isOurs)}))
      .filter((one) => one.webhooks.length > 0);
    if (judged.length === 0) return notApplicable('no webhook leads to an istiod that serves by its own CA');
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
    "The caBundle of every webhook that leads to an istiod of this cluster, those of revision tags included, holds the same certificates as the bundle that istiod has loaded. istiod patches it by itself, within seconds, wherever label istio.io/rev names istiod's own revision.",
  breaks:
    'The API server does not trust istiod: "x509: certificate signed by unknown authority". New pods of injected namespaces are refused (failurePolicy Fail), and so are changes of Istio resources. What runs keeps running, so it shows only at the next deployment.',
  byHand:
    'kubectl --context "$CTX" get mutatingwebhookconfiguration istio-sidecar-injector --show-labels -o jsonpath="{.webhooks[0].clientConfig.caBundle}" | base64 -d | openssl x509 -noout -subject -fingerprint -sha256\nkubectl --context "$CTX" get mutatingwebhookconfigurations,validatingwebhookconfigurations -L istio.io/rev,istio.io/tag',
  mend: 'Where label istio.io/rev does not name the revision of the istiod behind the service, set it: istiod patches the caBundle within seconds. Otherwise restart that istiod: it patches all of them at its start. A caBundle set by hand (values base.validationCABundle, istiodRemote.injectionCABundle) has to be changed where it is set.',
  source: 'istio/istio pkg/webhooks/webhookpatch.go, pkg/webhooks/validation/controller/controller.go',
});

/** Services of one istiod: its own, and those of revision tags (revision-tags-svc.yaml). A remote has no istiod to name. */
function leadsTo(
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
  return bundle === 'unreadable'
    ? 'a caBundle that is no certificate'
    : `caBundle holds ${describeRoots(bundle.roots)}`;
}

function fixFor(
  {kind, name, revision, webhooks}: WebhookConfigurationFacts,
  controlPlanes: readonly ControlPlaneFacts[],
  {cluster, mesh}: ClusterSubject,
): Suggestion {
  const behind = controlPlanes.find(({workload}) => webhooks.some(({service}) => service === workload.name));
  const own = behind ?? controlPlanes.find((one) => one.revision === revision) ?? controlPlanes[0];
  if (own && own.revision !== revision) {
    return fixWith.kubectl(
      cluster,
      words`label ${kind.toLowerCase()} ${name} istio.io/rev=${own.revision} --overwrite`,
    );
  }
  if (own) return restartFix({cluster, mesh}, own.workload.name);
  // A remote cluster runs no istiod: its primary's patches them.
  const primary = mesh.clusters.find(({name}) => name === cluster.primary) ?? cluster;
  return restartFix({cluster: primary, mesh});
}

import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Identities are issued in the declared trust domain. */
export const trustDomainCheck = apiServerCheck({
  id: 'MESH407',
  title: 'istiod issues identities in the declared trust domain',
  requires: ['controlPlanes'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting(
      {name: 'trust domain', declared: subject.mesh.trustDomain, key: 'trustDomain'},
      controlPlanes,
      subject,
    ),
  meaning: 'meshConfig.trustDomain in ConfigMap istio is the trust domain of mesh.yaml (default cluster.local).',
  breaks: 'Authorization policies that name principals match nothing, and peers of another trust domain are strangers.',
  byHand: 'kubectl --context "$CTX" -n istio-system get configmap istio -o jsonpath="{.data.mesh}" | grep trustDomain',
  howToFix: 'Render install.yaml anew and apply it. Workloads take the new identity at their next start.',
  source: 'istio.io: reference/config/istio.mesh.v1alpha1 (MeshConfig.trustDomain)',
});

import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** istiod issues identities in the declared trust domain. */
export const trustDomainCheck = apiServerCheck({
  id: 'MESH407',
  title: 'istiod issues identities in the declared trust domain',
  requires: ['controlPlanes'],
  implies: ['MESH6'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting(
      {name: 'trust domain', declared: subject.mesh.trustDomain, key: 'trustDomain'},
      controlPlanes,
      subject,
    ),
  meaning: 'meshConfig.trustDomain in ConfigMap istio is the trust domain in mesh.yaml (default: cluster.local).',
  breaks: 'Authorization policies with principals match nothing, and peers in other trust domains are not trusted.',
  byHand: 'kubectl --context "$CTX" -n istio-system get configmap istio -o jsonpath="{.data.mesh}" | grep trustDomain',
  fix: 'Render install.yaml again and apply it. Workloads get the new identity at their next start.',
  source: 'istio.io: reference/config/istio.mesh.v1alpha1 (MeshConfig.trustDomain)',
});

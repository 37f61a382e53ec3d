import {defineCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Identities are issued in the declared trust domain. */
export const trustDomainCheck = defineCheck({
  id: 'MESH407',
  title: 'istiod issues identities in the declared trust domain',
  severity: 'error',
  scope: 'cluster',
  vantage: 'API server',
  needs: ['controlPlanes'],
  waitable: true,
  implies: [],
  judge: ({controlPlanes}, subject) =>
    judgeSetting(
      {
        name: 'trust domain',
        declared: subject.mesh.trustDomain,
        seen: controlPlanes.map(({workload, trustDomain}) => ({where: workload.name, value: trustDomain})),
      },
      subject,
    ),
  explanation: {
    meaning: 'meshConfig.trustDomain in ConfigMap istio is the trust domain of mesh.yaml (default cluster.local).',
    breaks:
      'Authorization policies that name principals match nothing, and peers of another trust domain are strangers.',
    byHand:
      'kubectl --context "$CTX" -n istio-system get configmap istio -o jsonpath="{.data.mesh}" | grep trustDomain',
    mend: 'Render install.yaml anew and apply it. Workloads take the new identity at their next start.',
    source: 'istio.io: reference/config/istio.mesh.v1alpha1 (MeshConfig.trustDomain)',
  },
});

import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** istiod knows its cluster by the name that mesh.yaml gives it. */
export const clusterNameCheck = apiServerCheck({
  id: 'MESH404',
  title: 'istiod runs with the declared clusterName',
  requires: ['controlPlanes'],
  implies: ['MESH412'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting({name: 'clusterName', declared: subject.cluster.name, key: 'clusterID'}, controlPlanes, subject),
  meaning: 'The environment variable CLUSTER_ID of every running istiod is the name of the cluster in mesh.yaml.',
  breaks:
    'Proxies say that name when they ask for certificates, and remote secrets are keyed by it: another name means "client claims to be in cluster …". Left unset it is Kubernetes, in every cluster the same.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment istiod -o jsonpath="{.spec.template.spec.containers[0].env[?(@.name==\'CLUSTER_ID\')].value}"',
  howToFix: 'Render install.yaml anew and apply it.',
  source:
    'istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml, security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go',
});

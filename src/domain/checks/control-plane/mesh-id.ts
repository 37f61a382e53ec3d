import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Proxies are configured with the declared meshID. */
export const meshIDCheck = apiServerCheck({
  id: 'MESH406',
  title: 'Proxies are configured with the declared meshID',
  requires: ['controlPlanes'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting({name: 'meshID', declared: subject.mesh.meshID, key: 'meshID'}, controlPlanes, subject),
  meaning: 'In every cluster, values.global.meshID of the installation is the meshID in mesh.yaml.',
  breaks: 'Telemetry and policies treat clusters of one mesh as different meshes.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep meshID',
  fix: 'Render install.yaml again and apply it. Then restart workloads that were injected before.',
  source:
    'istio.io: reference/glossary (mesh ID); istio/istio operator/pkg/apis/values_types.proto (GlobalConfig.meshID)',
});

import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Proxies are configured with the declared meshID. */
export const meshIDCheck = apiServerCheck({
  id: 'MESH406',
  title: 'Proxies are configured with the declared meshID',
  requires: ['controlPlanes'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting({name: 'meshID', declared: subject.mesh.meshID, key: 'meshID'}, controlPlanes, subject),
  meaning: "The installation's values.global.meshID matches meshID in mesh.yaml.",
  breaks: 'Telemetry and policies treat clusters of one mesh as different meshes.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep meshID',
  fix: 'Render install.yaml again and apply it. Then restart the workloads that were injected earlier.',
  source:
    'istio.io: reference/glossary (mesh ID); istio/istio operator/pkg/apis/values_types.proto (GlobalConfig.meshID)',
});

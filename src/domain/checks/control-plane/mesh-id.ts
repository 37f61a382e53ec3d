import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Proxies are told the declared mesh. */
export const meshIDCheck = apiServerCheck({
  id: 'MESH406',
  title: 'Proxies are told the declared meshID',
  requires: ['controlPlanes'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting({name: 'meshID', declared: subject.mesh.meshID, key: 'meshID'}, controlPlanes, subject),
  meaning: "The installation's values.global.meshID is the meshID of mesh.yaml, in every cluster the same.",
  breaks: 'Telemetry and policies take clusters of one mesh for different meshes.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep meshID',
  howToFix: 'Render install.yaml anew and apply it; restart workloads that were injected before.',
  source:
    'istio.io: reference/glossary (mesh ID); istio/istio operator/pkg/apis/values_types.proto (GlobalConfig.meshID)',
});

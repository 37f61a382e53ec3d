import {apiServerCheck, ok} from '../check.js';

/** The user has all read permissions that the other checks require. */
export const allowedCheck = apiServerCheck({
  id: 'MESH202',
  title: 'All required read permissions are granted',
  requires: ['access'],
  waitable: false,
  // MESH102 reads the cluster if the work directory holds no CA.
  implies: [
    ...['MESH102', 'MESH115', 'MESH116', 'MESH203', 'MESH204', 'MESH205', 'MESH206', 'MESH207', 'MESH208'],
    ...['MESH3', 'MESH4', 'MESH5'],
  ],
  judge: ({access}) => ok(`${String(access.reads)} kinds of requests, none forbidden`, 'no request forbidden'),
  meaning: 'RBAC grants the user of this context all permissions that the selected checks require.',
  breaks: 'Nothing in the mesh, but everything that cannot be read is unknown, and so is the verdict.',
  byHand:
    'kubectl --context "$CTX" auth can-i get secrets/cacerts -n istio-system\nkubectl --context "$CTX" auth can-i list pods -n istio-system',
  fix: 'Have an administrator grant the permission in the message, or exclude the checks that require it with `--no-secrets`, `--no-live` or `--skip`.',
  source: 'kubernetes.io: reference/access-authn-authz/rbac',
});

import {apiServerCheck, ok} from '../check.js';

/** Everything that the other checks want to read may be read. */
export const allowedCheck = apiServerCheck({
  id: 'MESH202',
  title: 'Everything that has to be seen may be read',
  needs: ['access'],
  waitable: false,
  // MESH102 looks into the cluster where the work directory holds nothing.
  implies: [
    ...['MESH102', 'MESH116', 'MESH203', 'MESH204', 'MESH205', 'MESH206', 'MESH207', 'MESH208'],
    ...['MESH3', 'MESH4', 'MESH5'],
  ],
  judge: ({access}) => ok(`${String(access.reads)} kinds of reads, none refused`, 'no read refused'),
  meaning: 'The user of this context has the rights that the selected checks need (RBAC).',
  breaks: 'Nothing in the mesh: but what may not be read is unknown, and the verdict with it.',
  byHand:
    'kubectl --context "$CTX" auth can-i get secrets/cacerts -n istio-system\nkubectl --context "$CTX" auth can-i list pods -n istio-system',
  mend: 'Have the right granted that the message names, or leave those checks out: `--no-secrets`, `--no-live`, `--skip`.',
  source: 'kubernetes.io: reference/access-authn-authz/rbac',
});

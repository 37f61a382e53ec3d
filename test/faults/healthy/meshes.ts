/** Every healthy mesh that verify is measured with. */
import {certManager, publicFiles} from './cert-manager.js';
import {discoverySelectors} from './discovery-selectors.js';
import {finishedPods} from './finished-pods.js';
import {longLived} from './long-lived.js';
import {makefile} from './makefile.js';
import {adoptedNames, istioNames} from './istio-names.js';
import type {Mesh} from './mesh.js';
import {midRotation} from './mid-rotation.js';
import {midUpgrade} from './mid-upgrade.js';
import {otherSecret} from './other-secret.js';
import {ours} from './ours.js';
import {revisions} from './revisions.js';
import {twoControlPlanes} from './two-control-planes.js';

export const meshes: readonly Mesh[] = [
  ours,
  makefile,
  certManager,
  publicFiles,
  otherSecret,
  revisions,
  discoverySelectors,
  finishedPods,
  midRotation,
  midUpgrade,
  twoControlPlanes,
  istioNames,
  adoptedNames,
  longLived,
];

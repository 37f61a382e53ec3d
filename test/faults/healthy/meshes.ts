/** Every healthy mesh that verify is measured with. */
import type {Mesh} from './mesh.js';
import {ours} from './ours.js';

export const meshes: readonly Mesh[] = [ours];

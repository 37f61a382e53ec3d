/** Healthy meshes that faults are seeded in, by name. A new one is a line here. */
import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ClusterOptions} from '../../e2e/harness/cluster.js';
import type {Setting} from '../../e2e/harness/mesh.js';

/** How a lab is made. */
export interface Shape {
  readonly clusters: readonly ClusterOptions[];
  /** Makes a mesh of the clusters; it must be green afterwards, without a warning. */
  readonly build: (setting: Setting) => Promise<void>;
}

/** `init` and `up` with nothing else said but small keys: a primary in each cluster, one network each. */
async function initAndUp({cli, clusters}: Setting): Promise<void> {
  await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
  // Many CAs are made in a run, and RSA shows nothing more.
  appendFileSync(join(cli.workDir, 'mesh.yaml'), 'trust:\n  keyAlgorithm: ecdsa-p256\n');
  await cli.must('up');
}

export const shapes = {
  two: {clusters: [{name: 'one'}, {name: 'two'}], build: initAndUp},
  alone: {clusters: [{name: 'one'}], build: initAndUp},
} as const satisfies Readonly<Record<string, Shape>>;

export type ShapeName = keyof typeof shapes;

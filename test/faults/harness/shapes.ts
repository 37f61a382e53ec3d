/** Healthy meshes that faults are seeded in, by name. A new one is a line here. */
import {appendFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ClusterOptions} from '../../e2e/harness/cluster.js';
import {builtMinor} from '../../e2e/harness/control-planes.js';
import type {Setting} from '../../e2e/harness/mesh.js';
import {certManager} from '../healthy/cert-manager.js';
import {startCloud} from './east-west.js';

/** How a lab is made. */
export interface Shape {
  readonly clusters: readonly ClusterOptions[];
  /** Makes a mesh of the clusters; it must be green afterwards, without a warning. */
  readonly build: (setting: Setting) => Promise<void>;
}

/** Many CAs are made in a run, and RSA shows nothing more. */
const smallKeys = 'trust:\n  keyAlgorithm: ecdsa-p256\n';

/** `init` with these arguments only: a primary in each cluster, all on one network. */
async function init({cli, clusters}: Setting, more = smallKeys): Promise<void> {
  await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
  appendFileSync(join(cli.workDir, 'mesh.yaml'), more);
}

/** `init` and `up`. */
function initAndUp(more?: string): Shape['build'] {
  return async (setting) => {
    await init(setting, more);
    await setting.cli.must('up');
  };
}

/** mesh.yaml with the last cluster on a network of its own. */
export function onTwoNetworks(text: string): string {
  const last = text.lastIndexOf('network: network1');
  return `${text.slice(0, last)}network: network2${text.slice(last + 'network: network1'.length)}`;
}

/** The second cluster on a network of its own, with east-west gateways between the two. */
async function twoNetworks(setting: Setting): Promise<void> {
  const {cli} = setting;
  await init(setting);
  const file = join(cli.workDir, 'mesh.yaml');
  writeFileSync(file, onTwoNetworks(readFileSync(file, 'utf8')));
  startCloud(setting);
  await cli.must('up');
}

export const shapes = {
  two: {clusters: [{name: 'one'}, {name: 'two'}], build: initAndUp()},
  alone: {clusters: [{name: 'one'}], build: initAndUp()},
  /** Version and revision are declared, and that a root can be changed without restarts. */
  declared: {
    clusters: [{name: 'one'}],
    build: initAndUp(`${smallKeys}  rotationReady: true\nistio:\n  version: "${builtMinor}"\n  revisions: [default]\n`),
  },
  /** Proxies learn of another root by renewal only. */
  plain: {clusters: [{name: 'one'}], build: initAndUp(`${smallKeys}  rotationReady: false\n`)},
  /** External CAs: mesh.yaml alone. */
  issued: {clusters: certManager.clusters, build: certManager.build},
  networks: {clusters: [{name: 'one'}, {name: 'two'}], build: twoNetworks},
} as const satisfies Readonly<Record<string, Shape>>;

export type ShapeName = keyof typeof shapes;

import {join} from 'node:path';
import {controlPlanes} from '../../e2e/harness/control-planes.js';
import {builtReleases, withReleases} from '../../e2e/harness/istio-releases.js';
import type {Mesh} from './mesh.js';

/** Between the upgrades of two clusters. */
export const midUpgrade: Mesh = {
  id: 'healthy-mid-upgrade',
  title: 'during an upgrade: one cluster runs the next minor version of Istio',
  clusters: [{name: 'one'}, {name: 'two'}],
  planes: async () => {
    const releases = await builtReleases();
    return withReleases(await controlPlanes(), releases[0], releases);
  },
  build: async ({cli, clusters}) => {
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    await cli.must('up', '--key-algorithm', 'ecdsa-p256');
    const [, newer] = await builtReleases();
    cli.useIstioctl(join(newer.directory, 'istioctl'));
    await cli.must('install', 'render', 'one');
    await cli.must('install', 'apply', 'one', '--upgrade', '--yes');
  },
  trueWarnings: {},
};

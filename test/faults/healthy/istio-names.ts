import {mkdtempSync} from 'node:fs';
import {join} from 'node:path';
import {makeCas} from './makefile.js';
import {installByGuide, linkByGuide} from './by-guide.js';
import type {Mesh} from './mesh.js';

/** Istio's names of the clusters: its default, and one that is not a DNS label. */
const names: Readonly<Record<string, string>> = {one: 'Kubernetes', two: 'Prod_EU.2'};

/** Declared with `init`. */
export const istioNames: Mesh = {
  id: 'healthy-istio-names',
  title: 'two primaries named `Kubernetes` and `Prod_EU.2` in Istio, created with `init --istio-name` and `up`',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    const given = clusters.flatMap(({name}) => ['--istio-name', `${name}=${names[name] ?? ''}`]);
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`), ...given);
    await cli.must('up');
  },
  trueWarnings: {},
};

/** Installed by others, and adopted. */
export const adoptedNames: Mesh = {
  id: 'healthy-adopted-names',
  title: "two primaries named `Kubernetes` and `Prod_EU.2`, by Istio's guide, then `kubectl mesh certs adopt`",
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({sandbox, clusters, cli}) => {
    const cas = await makeCas({sandbox, clusters}, mkdtempSync(join(sandbox.dir, 'cas-')));
    for (const cluster of clusters) {
      const options = {meshID: 'mesh1', network: 'network1', clusterName: names[cluster.name] ?? ''};
      await installByGuide(cluster, options, cas.get(cluster.name) ?? {});
    }
    await linkByGuide(clusters, names);
    await cli.must('certs', 'adopt', ...clusters.map(({name, context}) => `${name}=${context}`));
  },
  trueWarnings: {},
};

import {mkdtempSync} from 'node:fs';
import {join} from 'node:path';
import {makeCas} from './makefile.js';
import {installByGuide} from './by-guide.js';
import type {Mesh} from './mesh.js';

/** Istio's names of the clusters: its default, and one that is not a DNS label. */
const names: Readonly<Record<string, string>> = {one: 'Kubernetes', two: 'Prod_EU.2'};

/** Declared with `init`; each cluster has the other's remote secret. */
export const istioNames: Mesh = {
  id: 'healthy-istio-names',
  title: 'two primaries named `Kubernetes` and `Prod_EU.2` in Istio, created with `init --istio-name` and `up`, linked',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    const given = clusters.flatMap(({name}) => ['--istio-name', `${name}=${names[name] ?? ''}`]);
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`), ...given);
    await cli.must('up');
    for (const {name, context} of clusters) {
      for (const peer of clusters.filter((other) => other.name !== name)) {
        const create = `istioctl --context ${peer.context} create-remote-secret --name ${peer.name} -n istio-system`;
        const rename = `sed 's/^  ${peer.name}: /  ${names[peer.name] ?? ''}: /'`;
        const made = await cli.shell(
          `set -o pipefail; ${create} | ${rename} | kubectl --context ${context} -n istio-system apply -f -`,
        );
        if (made.code !== 0) throw new Error(`no remote secret: ${made.stdout}${made.stderr}`);
      }
    }
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
    await cli.must('certs', 'adopt', ...clusters.map(({name, context}) => `${name}=${context}`));
  },
  trueWarnings: {},
};

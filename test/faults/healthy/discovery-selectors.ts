import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Mesh} from './mesh.js';

const declaration = `trust: {keyAlgorithm: ecdsa-p256}
istio:
  profile: minimal
  values:
    meshConfig:
      discoverySelectors:
        - matchLabels: {istio-discovery: enabled}
        - matchExpressions:
            - {key: team, operator: In, values: [payments, search]}
`;

/** istiod serves some namespaces; in one cluster its own is not among them. */
export const discoverySelectors: Mesh = {
  id: 'healthy-discovery-selectors',
  title: "namespaces outside discoverySelectors, including Istio's own in one cluster; an injected one inside",
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    for (const cluster of clusters) {
      for (const name of ['shop', 'search', 'legacy']) await cluster.kubectl('create', 'namespace', name);
      await cluster.kubectl('label', 'namespace', 'shop', 'istio-discovery=enabled', 'istio-injection=enabled');
      await cluster.kubectl('label', 'namespace', 'search', 'team=search');
      await cluster.kubectl('label', 'namespace', 'legacy', 'team=archive', 'istio-injection=disabled');
    }
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    appendFileSync(join(cli.workDir, 'mesh.yaml'), declaration);
    await cli.must('certs', 'generate');
    await cli.must('trust', 'push');
    await clusters[0]?.kubectl('label', 'namespace', 'istio-system', 'istio-discovery=enabled');
    await cli.must('up');
  },
  trueWarnings: {},
};

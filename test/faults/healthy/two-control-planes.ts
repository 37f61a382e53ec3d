import {appendFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {at} from '../../e2e/harness/mesh.js';
import {eventually} from '../../e2e/harness/processes.js';
import {dataOf} from '../harness/by-hand.js';
import type {Mesh} from './mesh.js';

const ours = `trust: {keyAlgorithm: ecdsa-p256}
istio:
  profile: minimal
  values:
    meshConfig:
      discoverySelectors:
        - matchExpressions:
            - {key: usergroup, operator: DoesNotExist}
`;

/** Another team's, as in Istio's documentation (setup/install/multiple-controlplanes). */
const theirs = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: usergroup-2, namespace: usergroup-2}
spec:
  profile: minimal
  revision: usergroup-2
  meshConfig:
    discoverySelectors:
      - matchLabels: {usergroup: usergroup-2}
  values:
    global: {istioNamespace: usergroup-2}
`;

/** Two teams share a cluster: each istiod has its own CA and writes its bundle into other namespaces. */
export const twoControlPlanes: Mesh = {
  id: 'healthy-two-control-planes',
  title: 'a second control plane in another namespace, whose discoverySelectors select other namespaces',
  clusters: [{name: 'one'}],
  build: async ({cli, clusters, sandbox}) => {
    const one = at(clusters, 0);
    for (const name of ['usergroup-2', 'their-shop']) {
      await one.kubectl('create', 'namespace', name);
      await one.kubectl('label', 'namespace', name, 'usergroup=usergroup-2');
    }
    await one.kubectl('label', 'namespace', 'their-shop', 'istio.io/rev=usergroup-2');
    await one.kubectl('create', 'namespace', 'our-shop');
    await one.kubectl('label', 'namespace', 'our-shop', 'istio-injection=enabled');
    await cli.must('init', `${one.name}=${one.context}`);
    appendFileSync(join(cli.workDir, 'mesh.yaml'), ours);
    await cli.must('up');
    const file = join(sandbox.dir, 'theirs.yaml');
    writeFileSync(file, theirs);
    await one.istioctl('install', '-y', '-f', file);
    await eventually('the bundle of the other control plane', () =>
      dataOf(one, 'configmaps', 'istio-ca-root-cert', 'their-shop'),
    );
  },
  trueWarnings: {MESH206: 'the istiod of the other team may read all Secrets, also that with the CA key'},
};

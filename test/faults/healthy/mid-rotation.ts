import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {at} from '../../e2e/harness/mesh.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import type {Mesh} from './mesh.js';

/** Two clusters between an old and a new root: both trust both, and each signs under another one. */
export const midRotation: Mesh = {
  id: 'healthy-mid-rotation',
  title: 'during a root rotation: both roots in both bundles in different order, a cluster CA under each',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    const [older, newer] = [await tinyRoot({meshID: 'mesh1'}), await tinyRoot({meshID: 'mesh1'})];
    const [a, b] = [older.certificate.pem, newer.certificate.pem];
    const plans = [
      {cluster: at(clusters, 0), root: older, bundle: a + b},
      {cluster: at(clusters, 1), root: newer, bundle: b + a},
    ];
    writeFileSync(join(cli.workDir, 'root-cert.pem'), a + b);
    writeFileSync(join(cli.workDir, 'root-key.pem'), writePrivateKey(older.key).reveal(), {mode: 0o600});
    for (const {cluster, root, bundle} of plans) {
      const ca = await tinyClusterCa(root, cluster.name);
      const {caCert, caKey, certChain} = bundleOf(ca, [root]);
      const folder = join(cli.workDir, cluster.name);
      mkdirSync(folder, {mode: 0o700});
      writeFileSync(join(folder, 'ca-cert.pem'), caCert);
      writeFileSync(join(folder, 'ca-key.pem'), caKey.reveal(), {mode: 0o600});
      writeFileSync(join(folder, 'cert-chain.pem'), certChain);
      writeFileSync(join(folder, 'root-cert.pem'), bundle);
    }
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    await cli.must('trust', 'push');
    await cli.must('install', 'render');
    await cli.must('install', 'apply');
    await cli.must('link');
  },
  trueWarnings: {MESH107: 'the root key of this test is unencrypted'},
};

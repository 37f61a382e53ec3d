import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import type {CertificateTemplate} from '../../../src/domain/x509/certificate.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import type {Mesh} from './mesh.js';

const dayMs = 86_400_000;

/** Valid for 25 years, of which this number of days is left: less than 10 %. */
const nearlyOver =
  (daysLeft: number) =>
  (template: CertificateTemplate): CertificateTemplate => ({
    ...template,
    notBefore: new Date(Date.now() - (25 * 365 - daysLeft) * dayMs),
    notAfter: new Date(Date.now() + daysLeft * dayMs),
  });

/** CAs of a company that issues them for decades. */
export const longLived: Mesh = {
  id: 'healthy-long-lived',
  title: 'CAs and a root with a lifetime of 25 years, and two years left',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    const root = await tinyRoot({meshID: 'mesh1', change: nearlyOver(730)});
    writeFileSync(join(cli.workDir, 'root-cert.pem'), root.certificate.pem);
    writeFileSync(join(cli.workDir, 'root-key.pem'), writePrivateKey(root.key).reveal(), {mode: 0o600});
    for (const {name} of clusters) {
      const ca = await tinyClusterCa(root, name, {change: nearlyOver(729)});
      const {caCert, caKey, rootCert, certChain} = bundleOf(ca, [root]);
      const directory = join(cli.workDir, name);
      mkdirSync(directory, {mode: 0o700});
      writeFileSync(join(directory, 'ca-cert.pem'), caCert);
      writeFileSync(join(directory, 'ca-key.pem'), caKey.reveal(), {mode: 0o600});
      writeFileSync(join(directory, 'root-cert.pem'), rootCert);
      writeFileSync(join(directory, 'cert-chain.pem'), certChain);
    }
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    await cli.must('up');
  },
  trueWarnings: {MESH107: 'the root key of this test is unencrypted'},
};

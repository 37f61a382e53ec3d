import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {bundleOf, tinyClusterCa, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';
import type {Setting} from '../../e2e/harness/mesh.js';
import {installByGuide} from './by-guide.js';
import type {Mesh} from './mesh.js';

/** cacerts as cert-manager fills it from a Certificate with isCA: the CA in tls.crt, its issuer in ca.crt. */
async function issue(
  {cli, clusters}: Setting,
  also?: (cluster: string, ca: TinyCa, root: TinyCa) => void,
): Promise<void> {
  const root = await tinyRoot();
  for (const cluster of clusters) {
    const ca = await tinyClusterCa(root, cluster.name);
    const {caCert, caKey, rootCert} = bundleOf(ca, [root]);
    const data = {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert};
    await installByGuide(cluster, {meshID: 'mesh1', network: 'network1'}, data, 'kubernetes.io/tls');
    also?.(cluster.name, ca, root);
  }
  await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
}

/** Nobody keeps CAs in files. */
export const certManager: Mesh = {
  id: 'healthy-cert-manager',
  title: 'two primaries whose cacerts are of type kubernetes.io/tls, as cert-manager makes them; mesh.yaml alone',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: (setting) => issue(setting),
  trueWarnings: {},
};

/** The same where the public halves are kept, so that they can be compared. */
export const publicFiles: Mesh = {
  id: 'healthy-public-files',
  title: 'the same, with the public certificates of the CA in the work directory and no key',
  clusters: [{name: 'one'}],
  build: (setting) =>
    issue(setting, (cluster, ca, root) => {
      const {workDir} = setting.cli;
      const {caCert, rootCert, certChain} = bundleOf(ca, [root]);
      mkdirSync(join(workDir, cluster), {mode: 0o700});
      writeFileSync(join(workDir, 'root-cert.pem'), rootCert);
      writeFileSync(join(workDir, cluster, 'ca-cert.pem'), caCert);
      writeFileSync(join(workDir, cluster, 'root-cert.pem'), rootCert);
      writeFileSync(join(workDir, cluster, 'cert-chain.pem'), certChain);
    }),
  trueWarnings: {},
};

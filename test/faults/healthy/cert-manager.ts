import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {bundleOf, tinyClusterCa, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';
import type {Setting} from '../../e2e/harness/mesh.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {installByGuide, linkByGuide, type SecretData} from './by-guide.js';
import type {Mesh} from './mesh.js';

/** Where the issuer keeps its root in this sandbox; faults issue from it, too. */
export function issuerDirectory({sandbox}: Pick<Setting, 'sandbox'>): string {
  return join(sandbox.dir, 'issuer');
}

/** cacerts as cert-manager fills it from a Certificate with isCA: the CA in tls.crt, its issuer in ca.crt. */
export function tlsData(ca: TinyCa, root: TinyCa): SecretData {
  const {caCert, caKey, rootCert} = bundleOf(ca, [root]);
  return {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert};
}

async function issue(
  {sandbox, cli, clusters}: Setting,
  also?: (cluster: string, ca: TinyCa, root: TinyCa) => void,
): Promise<void> {
  const root = await tinyRoot();
  const issuer = issuerDirectory({sandbox});
  mkdirSync(issuer);
  writeFileSync(join(issuer, 'root-cert.pem'), root.certificate.pem);
  writeFileSync(join(issuer, 'root-key.pem'), writePrivateKey(root.key).reveal(), {mode: 0o600});
  for (const cluster of clusters) {
    const ca = await tinyClusterCa(root, cluster.name);
    const guide = {meshID: 'mesh1', network: 'network1'};
    await installByGuide(cluster, guide, tlsData(ca, root), 'kubernetes.io/tls');
    also?.(cluster.name, ca, root);
  }
  await linkByGuide(clusters);
  await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
}

/** Nobody keeps CAs in files. */
export const certManager: Mesh = {
  id: 'healthy-cert-manager',
  title: 'two primaries whose cacerts have type kubernetes.io/tls, as cert-manager creates them; mesh.yaml alone',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: (setting) => issue(setting),
  trueWarnings: {},
};

/** The same where the public halves are kept, so that they can be compared. */
export const publicFiles: Mesh = {
  id: 'healthy-public-files',
  title: "the same, with the CA's public certificates in the work directory and no key",
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

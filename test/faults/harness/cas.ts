/** CAs that are wrong in a chosen way, under the real root of a lab's mesh, where people leave such things: in files. */
import {createPrivateKey} from 'node:crypto';
import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseCertificates} from '../../../src/domain/x509/certificate.js';
import {at} from '../../e2e/harness/mesh.js';
import {passphrase} from '../../e2e/harness/mesh-cli.js';
import {bundleOf, memorySigner, type TinyCa} from '../../helpers/tiny-ca.js';
import type {Lab} from './lab.js';

/** The mesh's root, with its key. */
export function meshRoot(lab: Lab): TinyCa {
  const key = createPrivateKey({key: lab.read('root-key.pem'), passphrase});
  const {certificates} = parseCertificates(lab.read('root-cert.pem'), 'root-cert.pem');
  return {key, certificate: at(certificates, 0), signer: memorySigner(key)};
}

/** Writes the four files of a cluster CA; `above`: its issuers upward, the root last. */
export function putCa(lab: Lab, cluster: string, ca: TinyCa, above: readonly TinyCa[]): void {
  mkdirSync(lab.path(cluster), {recursive: true, mode: 0o700});
  writeBundle(lab.path(cluster), ca, above);
}

function writeBundle(folder: string, ca: TinyCa, above: readonly TinyCa[]): void {
  const {caCert, caKey, rootCert, certChain} = bundleOf(ca, above);
  writeFileSync(join(folder, 'ca-cert.pem'), caCert);
  writeFileSync(join(folder, 'ca-key.pem'), caKey.reveal(), {mode: 0o600});
  writeFileSync(join(folder, 'root-cert.pem'), rootCert);
  writeFileSync(join(folder, 'cert-chain.pem'), certChain);
}

/** Secret cacerts as the guide makes it from a cluster's files, without us and without a question. */
export async function createCacerts(lab: Lab, cluster: string, from = cluster): Promise<void> {
  await createSecret(lab, cluster, lab.path(from));
}

/** The same from files that are nowhere in the work directory; `above`: the CA's issuers upward, the root last. */
export async function putCacerts(lab: Lab, cluster: string, ca: TinyCa, above: readonly TinyCa[]): Promise<void> {
  const folder = mkdtempSync(join(lab.setting.sandbox.dir, 'elsewhere-'));
  writeBundle(folder, ca, above);
  await createSecret(lab, cluster, folder);
}

async function createSecret(lab: Lab, cluster: string, folder: string): Promise<void> {
  const files = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'];
  const from = files.map((file) => `--from-file=${join(folder, file)}`);
  const on = lab.cluster(cluster);
  await on.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts', '--ignore-not-found');
  await on.kubectl('-n', 'istio-system', 'create', 'secret', 'generic', 'cacerts', ...from);
}

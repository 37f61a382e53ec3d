import {randomBytes} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import {serialBytes} from '../../domain/pki/certificate.js';
import {chainPem} from '../../domain/pki/chain.js';
import {inspectCaFiles, requireValidBundle} from '../../domain/pki/inspect-ca.js';
import {publicHalf} from '../../domain/pki/keys.js';
import {writePrivateKey} from '../../domain/pki/private-key.js';
import {clusterCaTemplate} from '../../domain/pki/profile.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {issueCertificate} from '../../domain/pki/signer.js';
import type {Effect} from '../effect.js';
import {certificateDetail} from './certificate-detail.js';
import {untilAborted} from './until-aborted.js';

/**
 * Makes a cluster's key and certificate under the mesh's signer and writes the cluster's four files as one set. They go
 * through the same inspection as files of foreign origin first.
 */
export const effect: Effect<'issue-cluster-ca'> = async (action, {deps, line}) => {
  const {cluster} = action;
  const paths = clusterLayout(cluster);
  line(`make a key (${action.algorithm})`);
  // Asking for the passphrase and making the key take their time side by side.
  const [authority, key] = await untilAborted(
    Promise.all([deps.signers.authority(), deps.signers.takeKey(cluster, action.algorithm)]),
    deps.signal,
  );
  const rootCert = await deps.workspace.readText(layout.rootCert);
  if (rootCert === undefined) throw new MeshError('FILE_MISSING', `${layout.rootCert} is gone`);
  const now = deps.now();
  const template = clusterCaTemplate({
    publicKey: publicHalf(key),
    cluster,
    validityDays: action.validityDays,
    now,
    serial: randomBytes(serialBytes),
    issuer: authority.certificate,
  });
  const certificate = await issueCertificate(template, authority.signer, paths.caCert);
  const files = {
    caCert: certificate.pem,
    caKey: writePrivateKey(key),
    rootCert,
    certChain: chainPem([certificate, authority.certificate]),
  };
  const bundle = requireValidBundle(files, inspectCaFiles(files, {now}), `the new CA of ${cluster}`, 'ISSUE_FAILED');
  line('write the four files');
  await deps.workspace.write(
    (['caKey', 'caCert', 'certChain', 'rootCert'] as const).map((part) => ({
      path: paths[part],
      content: bundle[part],
    })),
  );
  return certificateDetail(certificate);
};

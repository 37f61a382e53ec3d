/** Effects that issue, request and import a cluster CA. */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {parseCertificates} from '../../domain/x509/certificate.js';
import {chainPem, orderUpward} from '../../domain/x509/chain.js';
import {clusterCaRequest, requestPem} from '../../domain/x509/csr.js';
import {inspectCaFiles, requireValidBundle} from '../../domain/ca/inspect-ca.js';
import {describeKey, publicHalf, spkiHash} from '../../domain/keys/keys.js';
import {readPrivateKey, writePrivateKey} from '../../domain/keys/private-key.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {createKeySigner} from '../../signers/keys.js';
import type {Effect} from '../effect.js';
import {certificateRef} from '../../domain/x509/describe.js';
import {untilAborted} from '../../tools/bounded.js';
import type {RequestClusterCa} from '../action.js';
import type {Deps} from '../deps.js';

/**
 * Generates a cluster's CA key, has the mesh's signer issue the certificate, and writes the cluster's four files as one
 * set. Whatever the signer, the files first pass the same inspection as files from another tool.
 */
export const issueClusterCa: Effect<'issue-cluster-ca'> = async (action, {deps, line, entry}) => {
  const {cluster} = action;
  const paths = clusterLayout(cluster);
  line(`generate a key (${action.algorithm})`);
  // Reading the passphrase and generating the key run in parallel.
  const [issuer, key] = await untilAborted(
    Promise.all([deps.signers.issuer(action.signer), deps.signers.takeKey(cluster, action.algorithm)]),
    deps.signal,
  );
  const rootCert = await deps.workspace.readText(layout.rootCert);
  if (rootCert === undefined) throw new MeshError('FILE_MISSING', `${layout.rootCert} was deleted during the run`);
  const {certificate, above, changes} = await issuer.issue({
    cluster,
    publicKey: publicHalf(key),
    validityDays: action.validityDays,
    now: deps.now(),
    csr: () => clusterCaRequest(cluster, createKeySigner(key)),
  });
  const {certificates: roots} = parseCertificates(rootCert, layout.rootCert);
  const files = {
    caCert: certificate.pem,
    caKey: writePrivateKey(key),
    rootCert: chainPem(roots),
    certChain: chainPem(orderUpward(certificate, [...above, ...roots])),
  };
  // Inspected at the current time, not the time of the request: a server may set notBefore to the second it signs.
  const bundle = requireValidBundle(
    files,
    inspectCaFiles(files, {now: deps.now(), ...action.names}),
    `the new CA of ${cluster}`,
    'ISSUE_FAILED',
  );
  line('write the four files');
  await deps.workspace.write(
    (['caKey', 'caCert', 'certChain', 'rootCert'] as const).map((part) => ({
      path: paths[part],
      content: bundle[part],
    })),
    entry,
  );
  return defined({...certificateRef(certificate), changes: changes.length > 0 ? changes : undefined});
};

/** Generates a key, or reads the existing one, and writes it with its request as one set. */
export const requestClusterCa: Effect<'request-cluster-ca'> = async (action, {deps, line, entry}) => {
  const {cluster} = action;
  const paths = clusterLayout(cluster);
  if (!action.keepKey) line(`generate a key (${action.algorithm})`);
  const {key, pem} = await untilAborted(action.keepKey ? pendingKey(action, deps) : newKey(action, deps), deps.signal);
  const csr = requestPem(await clusterCaRequest(cluster, createKeySigner(key)));
  line('write the request');
  const files = [
    {path: paths.requestKey, content: pem},
    {path: paths.requestCsr, content: csr},
  ];
  await deps.workspace.write(files, entry);
  const publicKey = publicHalf(key);
  return {file: paths.requestCsr, key: describeKey(publicKey).name, publicKey: spkiHash(publicKey)};
};

async function newKey({cluster, algorithm}: RequestClusterCa, {signers}: Deps) {
  const key = await signers.takeKey(cluster, algorithm);
  return {key, pem: writePrivateKey(key)};
}

async function pendingKey({cluster}: RequestClusterCa, {workspace}: Deps) {
  const {requestKey} = clusterLayout(cluster);
  const pem = await workspace.readSecret(requestKey);
  const key = pem && readPrivateKey(pem, requestKey).key;
  if (!pem || !key) throw new MeshError('FILE_MISSING', `${requestKey} was deleted during the run`);
  return {key, pem};
}

/** Writes the four files as one set, then removes the request, which is no longer needed. */
export const importClusterCa: Effect<'import-cluster-ca'> = async (
  {files, requestFiles: answered, certificate},
  {deps, line, entry},
) => {
  if (files.length > 0) {
    line('write the four files');
    await deps.workspace.write(files, entry);
  }
  await deps.workspace.remove(answered);
  return {...certificate, files: files.map(({path}) => path)};
};

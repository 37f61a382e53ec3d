import {MeshError} from '../../domain/errors.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import {clusterCaRequest, requestPem} from '../../domain/x509/csr.js';
import {describeKey, publicHalf, spkiHash} from '../../domain/keys/keys.js';
import {readPrivateKey, writePrivateKey} from '../../domain/keys/private-key.js';
import {createKeySigner} from '../../signers/keys.js';
import type {RequestClusterCa} from '../action.js';
import type {Deps} from '../deps.js';
import type {Effect} from '../effect.js';
import {untilAborted} from '../../tools/bounded.js';

/** Makes a key, or takes the one that lies there, and writes it with its request as one set. */
export const effect: Effect<'request-cluster-ca'> = async (action, {deps, line}) => {
  const {cluster} = action;
  const paths = clusterLayout(cluster);
  if (!action.keepKey) line(`make a key (${action.algorithm})`);
  const {key, pem} = await untilAborted(action.keepKey ? pendingKey(action, deps) : newKey(action, deps), deps.signal);
  const csr = requestPem(await clusterCaRequest(cluster, createKeySigner(key)));
  line('write the request');
  await deps.workspace.write([
    {path: paths.requestKey, content: pem},
    {path: paths.requestCsr, content: csr},
  ]);
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
  if (!pem || !key) throw new MeshError('FILE_MISSING', `${requestKey} is gone`);
  return {key, pem};
}

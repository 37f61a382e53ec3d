import {randomBytes} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import {workloadLayout} from '../../domain/mesh/layout.js';
import {spiffeIdOf} from '../../domain/mesh/workload-name.js';
import {issueCertificate, serialBytes} from '../../domain/x509/certificate.js';
import {chainPem} from '../../domain/x509/chain.js';
import {inspectCaFiles, requireValidBundle} from '../../domain/ca/inspect-ca.js';
import {publicHalf} from '../../domain/keys/keys.js';
import {createKeySigner, generateKey} from '../../signers/keys.js';
import {writePrivateKey} from '../../domain/keys/private-key.js';
import {workloadStateOf, workloadTemplate} from '../../domain/ca/workload-certificate.js';
import type {Effect} from '../effect.js';
import {certificateRef} from '../../domain/x509/describe.js';
import {untilAborted} from '../../tools/bounded.js';

/**
 * Signs with the cluster's ca-key.pem as istiod does with the same key. The chain is the one that istiod returns to a
 * workload: leaf, then cert-chain.pem (istio/istio security/pkg/server/ca/server.go). The files are verified as the
 * workload's peers will verify them, then written as one set.
 */
export const effect: Effect<'issue-workload'> = async (action, {deps, line, entry}) => {
  const {cluster, namespace, serviceAccount, trustDomain, algorithm, caFiles} = action;
  const spiffeId = spiffeIdOf(trustDomain, action);
  const paths = workloadLayout(cluster, namespace, serviceAccount);
  const now = deps.now();
  const inspection = inspectCaFiles(caFiles, {now, trustDomain});
  const bundle = requireValidBundle(caFiles, inspection, `the CA of ${cluster}`, 'CA_FILES_INVALID');
  const {certificate: ca, chain = [], key: caKey, roots = [], verified} = inspection;
  if (!ca || !caKey?.key || !verified || 'failure' in verified)
    throw new MeshError('CA_FILES_INVALID', `the CA of ${cluster} cannot sign`);
  line(`generate a key (${algorithm})`);
  const key = await untilAborted(generateKey(algorithm), deps.signal);
  const template = workloadTemplate({
    publicKey: publicHalf(key),
    spiffeId,
    validityMs: action.validityMs,
    now,
    serial: randomBytes(serialBytes),
    upward: verified.chain,
  });
  const certificate = await issueCertificate(template, createKeySigner(caKey.key), paths.certChain);
  const issued = {
    key: writePrivateKey(key),
    certChain: chainPem([certificate, ...chain]),
    rootCert: bundle.rootCert,
  };
  const judged = workloadStateOf(issued, {spiffeId, roots, now});
  if (judged.kind !== 'valid') {
    const why = judged.kind === 'conflict' ? judged.reason : judged.kind;
    throw new MeshError('ISSUE_FAILED', `the new certificate of ${spiffeId} would not be accepted: ${why}`);
  }
  line('write the three files');
  const files = [
    {path: paths.key, content: issued.key},
    {path: paths.certChain, content: issued.certChain},
    {path: paths.rootCert, content: issued.rootCert},
  ];
  await deps.workspace.write(files, entry);
  return {...certificateRef(certificate), spiffeId};
};

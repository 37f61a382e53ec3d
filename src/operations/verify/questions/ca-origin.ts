/** Whether the work directory makes a cluster's CA. The cluster is asked only where CLUSTER/ holds nothing. */
import type {CaOrigin} from '../../../domain/checks/facts.js';
import {meshNames} from '../../../domain/mesh/mesh-names.js';
import {usesCacerts} from '../../../domain/mesh/signer.js';
import {caFileNames} from '../../../domain/pki/ca-files.js';
import {annotations, cacertsName, readCacerts} from '../../../domain/trust/cacerts.js';
import type {ClusterQuestionOptions} from './cluster.js';

/** Throws what reading the Secret throws: then it cannot be told. */
export async function askCaOrigin({
  deps,
  mesh,
  reads,
  ownCa,
  noSecrets,
  offline,
}: ClusterQuestionOptions): Promise<CaOrigin> {
  const {files} = await ownCa();
  const parts = Object.keys(caFileNames) as (keyof typeof caFileNames)[];
  if (parts.some((part) => files[part] !== undefined)) return {from: 'work directory'};
  const {signer} = mesh.trust;
  const declared = signer.type === 'external' ? signer.issuer : undefined;
  if (declared !== undefined && (offline || noSecrets || !usesCacerts(signer)))
    return {from: 'elsewhere', keeper: declared};
  if (offline) return {from: 'nowhere'};
  if (noSecrets) return {from: 'not asked'};
  const secret = await reads.secret(cacertsName);
  if (!secret) return declared === undefined ? {from: 'nowhere'} : {from: 'elsewhere', keeper: declared};
  const found = readCacerts(secret, {now: deps.now(), ...meshNames(mesh), istioVersion: mesh.istio.version});
  const {keeper} = found;
  if (keeper !== undefined || declared !== undefined) return {from: 'elsewhere', keeper: keeper ?? declared ?? ''};
  // What was pushed from a work directory is missed in this one.
  if (found.annotations[annotations.writtenBy] !== undefined) return {from: 'nowhere'};
  return {from: parts.every((part) => found.files[part] !== undefined) ? 'elsewhere' : 'nowhere'};
}

/** Whether the work directory makes a cluster's CA. The cluster is asked only where CLUSTER/ holds nothing. */
import {usesCacerts} from '../../domain/mesh/signer.js';
import {caFileNames} from '../../domain/ca/ca-files.js';
import {annotations} from '../../domain/trust/cacerts.js';
import type {Derive} from '../fact-sources.js';

/** Throws what reading the Secret throws: then it cannot be told. */
export const deriveCaOrigin: Derive<'caOrigin'> = async ({mesh, reads, limits, cacerts, ownCa}) => {
  const {files} = await ownCa();
  const parts = Object.keys(caFileNames) as (keyof typeof caFileNames)[];
  if (parts.some((part) => files[part] !== undefined)) return {from: 'work directory'};
  const {signer} = mesh.trust;
  const declared = signer.type === 'external' ? signer.issuer : undefined;
  const isAllowed = reads.allows('cacerts');
  if (declared !== undefined && (!isAllowed || !usesCacerts(signer))) return {from: 'elsewhere', keeper: declared};
  if (!isAllowed) return {from: limits.offline === true ? 'nowhere' : 'not asked'};
  const found = await cacerts();
  if (found === 'absent') return declared === undefined ? {from: 'nowhere'} : {from: 'elsewhere', keeper: declared};
  const {keeper} = found;
  if (keeper !== undefined || declared !== undefined) return {from: 'elsewhere', keeper: keeper ?? declared ?? ''};
  // What was pushed from a work directory is missed in this one.
  if (found.annotations[annotations.writtenBy] !== undefined) return {from: 'nowhere'};
  return {from: parts.every((part) => found.files[part] !== undefined) ? 'elsewhere' : 'nowhere'};
};

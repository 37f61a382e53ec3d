/** How a new cluster CA can be issued here, by the signer and the files of the work directory. */
import type {Fact, IssuingFacts} from '../facts/facts.js';
import type {Mesh} from '../mesh/mesh.js';
import {externalCaReason} from '../mesh/signer.js';

/** How a new cluster CA can be issued here. */
export type Issuing =
  /** With `certs generate`. `signing`: SHA-256 of the signing CA and the certificates above it, as far as known. */
  | {readonly by: 'certs generate'; readonly signing: readonly string[]}
  /** With `certs request`: an external CA signs. */
  | {readonly by: 'certs request'}
  /** Not with this program: another tool issues the CA, or there is none (`trust.signer` external). */
  | {readonly by: 'external issuer'; readonly why: string}
  /** Not here, and what is missing; `unknown` if that could not be determined. */
  | {readonly by: 'nothing'; readonly lacks: Exclude<Lack, undefined> | 'unknown'; readonly why: string};

type Lack = Extract<IssuingFacts, {possible: false}>['lacks'];

/** Combines the signer with the fact about the files. */
export function issuingOf({trust: {signer}}: Pick<Mesh, 'trust'>, fact: Fact<IssuingFacts> | undefined): Issuing {
  const external = externalCaReason(signer);
  if (external !== undefined) return {by: 'external issuer', why: external};
  if (signer.type === 'csr') return {by: 'certs request'};
  if (fact === undefined || 'omitted' in fact)
    return {by: 'nothing', lacks: 'unknown', why: 'the signer was not checked'};
  if ('unknown' in fact) return {by: 'nothing', lacks: 'unknown', why: fact.unknown.message};
  const {value} = fact;
  return value.possible
    ? {by: 'certs generate', signing: value.signing}
    : {by: 'nothing', lacks: value.lacks, why: value.why};
}

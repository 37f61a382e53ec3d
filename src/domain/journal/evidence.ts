/**
 * Evidence that a work directory without a journal had one. A directory that Istio's Makefile created, or that was written
 * by hand, legitimately has none until the first change.
 */
import {readableRoots} from '../ca/trust-store.js';
import {layout} from '../mesh/layout.js';
import {checkMeshFile} from '../mesh/parse.js';
import {hasGeneratedName} from '../x509/profile.js';

/** The files with evidence; undefined for a missing file. */
export interface EvidenceTexts {
  readonly rootCert: string | undefined;
  readonly meshYaml: string | undefined;
}

/**
 * Returns what only a command that writes the journal leaves behind: a root CA with the name that `certs generate` gives
 * it, or the UID of a cluster in mesh.yaml. Undefined if there is no such evidence, and for a copy of mesh.yaml alone.
 */
export function journalEvidence({rootCert, meshYaml}: EvidenceTexts): string | undefined {
  if (rootCert === undefined) return undefined;
  const root = readableRoots(rootCert).find(hasGeneratedName);
  if (root) return `certs generate created the root CA "${root.subject.text}"`;
  const checked = meshYaml === undefined ? undefined : checkMeshFile(meshYaml);
  const clusters = checked && 'value' in checked ? (checked.value.clusters ?? []) : [];
  const known = clusters.find(({uid}) => uid !== undefined);
  return known && `${layout.meshYaml} contains the UID of cluster ${known.name}, which a change recorded`;
}

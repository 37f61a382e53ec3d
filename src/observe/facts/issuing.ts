/** Whether `certs generate` could issue a cluster CA with the files that are here, without signing anything. */
import {keyCannotIssue} from '../../domain/ca/issuer.js';
import {mismatch, readableRoots} from '../../domain/ca/trust-store.js';
import {rootStateOf} from '../../domain/ca/workdir-state.js';
import type {IssuingFacts} from '../../domain/facts/facts.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import type {Deps} from '../../engine/deps.js';
import {createCaFileReader} from '../ca-files.js';
import {findClusterRoots, rootFiles} from '../root-files.js';

/** By the rules of `certs generate`. A signer that is not a key file is neither run nor contacted, and counts as available. */
export async function readIssuing(deps: Deps, {trust: {signer}}: Pick<Mesh, 'trust'>): Promise<IssuingFacts> {
  const found = await createCaFileReader(deps.workspace).root();
  const local = signer.type === 'local' ? await deps.signers.survey(signer) : undefined;
  const files = rootFiles(found, local?.kind === 'key-file' ? local : undefined, undefined);
  const root = rootStateOf(files);
  if (root.kind === 'conflict') return {possible: false, lacks: 'a usable root', why: root.error.message};
  if (root.kind === 'absent') {
    const stores = await findClusterRoots(deps);
    // Without any root, `certs generate` creates one; another signer than a key file may return the clusters' root.
    if (stores.length === 0 || (local === undefined && mismatch(stores) === undefined))
      return {possible: true, signing: []};
    return {possible: false, lacks: 'the root', why: `${layout.rootCert} not found`};
  }
  if (local?.kind !== 'key-file') return {possible: true, signing: readableRoots(root.text).map(fingerprintOf)};
  if (root.key === 'missing') return {possible: false, lacks: 'the root key', why: `${local.keyPath} not found`};
  const refused = keyCannotIssue(root, deps.now(), layout.rootCert);
  if (refused) return {possible: false, lacks: 'a usable root', why: refused.message};
  return {possible: true, signing: (root.signing ?? root.roots).map(fingerprintOf)};
}

function fingerprintOf({fingerprint}: {readonly fingerprint: string}): string {
  return fingerprint;
}

/** Roots that a mesh may have besides its root-cert.pem: given by a person, or known from its clusters. */
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type Certificate, parseCertificates} from '../../domain/x509/certificate.js';
import {readPart, recognize} from '../../domain/x509/recognize.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';

/** Roots as a text and as what can be read of it. */
export interface KnownRoot {
  readonly text: string;
  readonly certificates: readonly Certificate[];
}

/** The roots of `--root FILE`. Throws `FILE_MISSING`, `NOT_PEM`, `NOT_A_CERTIFICATE`, `CONTRADICTION` when the mesh has other roots already. */
export async function readGivenRoot(
  {workspace}: Pick<Deps, 'workspace'>,
  path: string,
  root: RootState,
): Promise<KnownRoot> {
  const {parts} = recognize(await workspace.readOutside(path), path);
  const certificates = parts.flatMap((part) => readPart(part).certificates);
  if (certificates.length === 0) throw new MeshError('NOT_A_CERTIFICATE', `${path}: holds no certificate`);
  const notRoot = certificates.find(
    ({selfSigned, extensions}) => !selfSigned || extensions.basicConstraints?.ca !== true,
  );
  if (notRoot) throw new MeshError('NOT_A_CERTIFICATE', `${path}: "${notRoot.subject.text}" is not a root CA`);
  const ours = root.kind === 'present' ? root.certificates.map(({fingerprint}) => fingerprint) : undefined;
  if (ours && certificates.some(({fingerprint}) => !ours.includes(fingerprint))) {
    throw new MeshError('CONTRADICTION', `--root ${path} holds another root than ${layout.rootCert}`, {
      hints: ['leave --root away: the mesh has its root'],
    });
  }
  return {text: certificates.map(({pem}) => pem).join(''), certificates};
}

/** Roots that cluster folders hold, also of clusters this run is not about. Unreadable ones are judged elsewhere. */
export async function findRoots({
  workspace,
}: Pick<Deps, 'workspace'>): Promise<readonly (KnownRoot & {readonly cluster: string})[]> {
  const names = await workspace.list('.');
  const found = await Promise.all(
    names.map(async (name) => {
      if ((await workspace.stat(name))?.kind !== 'directory') return [];
      const text = await workspace.readText(clusterLayout(name).rootCert);
      if (text === undefined) return [];
      try {
        const {certificates} = parseCertificates(text, clusterLayout(name).rootCert);
        return [{cluster: name, text, certificates}];
      } catch {
        // What cannot be read must still keep a new root from being made behind its back.
        return [{cluster: name, text, certificates: []}];
      }
    }),
  );
  return found.flat();
}

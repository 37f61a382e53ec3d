/** Whether this mesh is one whose cluster CAs a CA elsewhere signs: what `certs request` and `certs import` are for. */
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {parseMeshFile} from '../../domain/mesh/parse.js';
import type {SignerSpecOf} from '../../domain/mesh/signer.js';
import {advice, type Hint} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';

const csr: SignerSpecOf<'csr'> = {type: 'csr'};

/**
 * The signer to run with: `csr`, recorded in mesh.yaml where that is silent. Throws `CONTRADICTION` where the mesh has another
 * signer: declared, or a root key in the work directory; and `MESH_YAML_INVALID`.
 */
export async function csrSigner({workspace}: Pick<Deps, 'workspace'>, command: string): Promise<SignerSpecOf<'csr'>> {
  const text = await workspace.readText(layout.meshYaml);
  const declared = text === undefined ? undefined : parseMeshFile(text).trust?.signer;
  if (declared?.type === 'csr') return csr;
  const contradiction = (why: string, ...hints: readonly Hint[]): MeshError =>
    new MeshError('CONTRADICTION', `${command} is for a CA elsewhere, ${why}`, {hints});
  if (declared) {
    throw contradiction(
      `${layout.meshYaml} declares another signer (trust.signer is ${declared.type})`,
      declared.type === 'external'
        ? 'nothing is to be requested: workload certificates come from elsewhere'
        : advice`${kubectlMesh('certs generate')} lets it sign`,
      `or change trust.signer in ${layout.meshYaml} to {type: csr}`,
    );
  }
  if ((await workspace.stat(layout.rootKey)) === undefined) return csr;
  throw contradiction(
    `and this mesh has its own root key (${layout.rootKey})`,
    advice`${kubectlMesh('certs generate')} signs with it`,
    `a mesh that changes to a CA elsewhere declares it in ${layout.meshYaml}: trust: {signer: {type: csr}}`,
  );
}

/**
 * The last check before a write to a cluster: no payload may contain the mesh's root key, whatever the caller did. Keys
 * are compared by public key, regardless of encoding and file name, and by the bytes of root-key.pem, because an
 * encrypted key cannot be compared otherwise.
 */
import {MeshError} from '../../domain/errors.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import {findPrivateKeys, privateKeyBlocks} from '../../domain/keys/private-key.js';
import {Sensitive} from '../../domain/sensitive.js';
import {layout, clusterLayout} from '../../domain/mesh/layout.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {Workspace} from '../../workspace/workspace.js';

/** The content to send, by key. */
export type Payload = Readonly<Record<string, Sensitive<Buffer>>>;

/** Every string in an object or a patch, verbatim and base64-decoded (a Secret's data is base64). */
export function textsOf(content: object): Payload {
  const found: Record<string, Sensitive<Buffer>> = {};
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') {
      found[path] = new Sensitive(Buffer.from(value));
      found[`${path} (decoded)`] = new Sensitive(Buffer.from(value, 'base64'));
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}/${key}`);
    }
  };
  walk(content, '');
  return found;
}

/** Throws `ROOT_KEY_IN_PAYLOAD` if a value is, or contains, a root's private key. `what`: the title of the action. */
export async function refuseRootKey(
  payload: Payload,
  cluster: string,
  workspace: Workspace,
  what: string,
): Promise<void> {
  const blocks = Object.entries(payload).flatMap(([name, value]) =>
    privateKeyBlocks(new Sensitive(value.reveal().toString('latin1'))).map((block) => ({name, block})),
  );
  if (blocks.length === 0) return;
  const roots = await rootKeyHashes(payload, cluster, workspace);
  const rootKeyText = await workspace.readSecret(layout.rootKey);
  const rootKeyBodies = rootKeyText ? privateKeyBlocks(rootKeyText).map(bodyOf) : [];
  for (const {name, block} of blocks) {
    const isRootKey =
      rootKeyBodies.includes(bodyOf(block)) ||
      findPrivateKeys(block, name).some(({spki}) => spki !== undefined && roots.has(spki));
    if (!isRootKey) continue;
    throw new MeshError(
      'ROOT_KEY_IN_PAYLOAD',
      `refusing to ${what}: ${name} contains the root CA's private key, which must never leave the work directory`,
      {
        hints: [
          advice`create a cluster CA instead: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`,
          'if a root key was ever stored in a cluster, replace it',
        ],
      },
    );
  }
}

/** SPKI hashes of every root of this mesh: in the work directory, in the cluster's directory, and in the payload. */
async function rootKeyHashes(payload: Payload, cluster: string, workspace: Workspace): Promise<ReadonlySet<string>> {
  const files = await Promise.all(
    [layout.rootCert, clusterLayout(cluster).rootCert].map((path) => workspace.readText(path)),
  );
  // istiod's self-signed CA is its own root: a Secret that istiod marked as generated may be restored (rollback).
  const own = 'istio-generated' in payload ? [] : [payload['root-cert.pem'], payload['ca.crt']];
  const texts = [...files, ...own.map((value) => value?.reveal().toString('utf8'))];
  // Another rule handles a bundle that cannot be parsed; it has no keys to compare here.
  return new Set(texts.flatMap(readableRoots).map(({spki}) => spki));
}

/** The content between the first and the last line of a PEM block, without line breaks. */
function bodyOf(block: Sensitive<string>): string {
  return block.reveal().replace(/-----[^-]+-----|\s/g, '');
}

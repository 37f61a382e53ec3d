/**
 * The last door before a cluster: no payload may hold the mesh's root key, whatever the caller did. Compared by public
 * key, so that another encoding or file name does not help, and by the bytes of root-key.pem for a key that is
 * encrypted and so cannot be compared.
 */
import {MeshError} from '../../domain/errors.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import {findPrivateKeys, privateKeyBlocks} from '../../domain/keys/private-key.js';
import {Sensitive} from '../../domain/sensitive.js';
import {layout, clusterLayout} from '../../domain/mesh/layout.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {Workspace} from '../../workspace/workspace.js';

/** What is about to be sent, by key. */
export type Payload = Readonly<Record<string, Sensitive<Buffer>>>;

/** Every text of an object or a patch, as it is and decoded: a Secret's data is base64. */
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

/** Throws `ROOT_KEY_IN_PAYLOAD` when a value is, or contains, a root's private key. */
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
      `${name} of ${what} holds the root CA's private key: it never leaves the work directory`,
      {
        hints: [
          advice`make a cluster CA for it: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`,
          'a root key that was in a cluster once should be replaced',
        ],
      },
    );
  }
}

/** SPKI hashes of every root this mesh has: the work directory's, the cluster directory's, and the payload's own. */
async function rootKeyHashes(payload: Payload, cluster: string, workspace: Workspace): Promise<ReadonlySet<string>> {
  const files = await Promise.all(
    [layout.rootCert, clusterLayout(cluster).rootCert].map((path) => workspace.readText(path)),
  );
  // istiod's own self-signed CA is its own root: a Secret that istiod marked as its own may be put back (rollback).
  const own = 'istio-generated' in payload ? [] : [payload['root-cert.pem'], payload['ca.crt']];
  const texts = [...files, ...own.map((value) => value?.reveal().toString('utf8'))];
  // A bundle that cannot be parsed is another rule's business; here it has no keys to compare with.
  return new Set(texts.flatMap(readableRoots).map(({spki}) => spki));
}

/** What stands between the first and the last line of a block, without line breaks. */
function bodyOf(block: Sensitive<string>): string {
  return block.reveal().replace(/-----[^-]+-----|\s/g, '');
}

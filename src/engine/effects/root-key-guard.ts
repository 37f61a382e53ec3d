/**
 * The last check before anything is sent to a cluster, whatever the caller did: the only private key in a payload is a
 * cluster's CA key, at the place where istiod reads it. Keys are compared by public key, regardless of encoding and
 * place. An encrypted key cannot be compared and is of no use to istiod, so that it is refused.
 */
import {MeshError, recover} from '../../domain/errors.js';
import {caKeyNames} from '../../domain/ca/ca-files.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import {type EmbeddedKey, embeddedKeys} from '../../domain/keys/embedded-keys.js';
import {Sensitive} from '../../domain/sensitive.js';
import {layout, clusterLayout} from '../../domain/mesh/layout.js';
import {parseMeshFile} from '../../domain/mesh/parse.js';
import {isGenerated} from '../../domain/trust/cacerts.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import {readableCertificates} from '../../domain/x509/certificate.js';
import type {Deps} from '../deps.js';

/** The content to send, by key. */
export type Payload = Readonly<Record<string, Sensitive<Buffer>>>;

type Directories = Pick<Deps, 'workspace' | 'rootStore'>;

/** Every string in an object or a patch, by its path. */
export function textsOf(content: object): Payload {
  const found: Record<string, Sensitive<Buffer>> = {};
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') {
      found[path] = new Sensitive(Buffer.from(value));
    } else if (typeof value === 'object' && value !== null) {
      // A name can hold as much as a value. Before the values, whose paths contain it: messages quote the first path.
      if (!Array.isArray(value)) found[`${path} (names)`] = new Sensitive(Buffer.from(Object.keys(value).join('\n')));
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}/${key}`);
    }
  };
  walk(content, '');
  return found;
}

/** Where istiod reads a CA key: in a Secret's data, or in the object that is sent. */
const keySlots = caKeyNames.flatMap((name) => [name, `/data/${name}`]);

/**
 * Throws `ROOT_KEY_IN_PAYLOAD` if a value contains the private key of a root or of a CA above the cluster's, or a key that
 * cannot be compared with them, and `PRIVATE_KEY_IN_PAYLOAD` if it contains any other key that does not belong there.
 * `what`: the title of the action.
 */
export async function refuseKeys(payload: Payload, cluster: string, directories: Directories, what: string) {
  const found = Object.entries(payload).flatMap(([name, value]) => {
    const keys = embeddedKeys(value);
    return keys.length > 0 ? [{name, keys}] : [];
  });
  if (found.length === 0) return;
  const forbidden = await keysAbove(payload, cluster, directories);
  for (const {name, keys} of found) {
    if (keys.some(({spki}) => spki !== undefined && forbidden.has(spki))) {
      throw new MeshError(
        'ROOT_KEY_IN_PAYLOAD',
        `refusing to ${what}: ${name} contains the private key of the root CA, or of a CA above the cluster CA, which must never leave the work directory`,
        {
          hints: [
            advice`create a cluster CA instead: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`,
            'if a root key was ever stored in a cluster, replace it',
          ],
        },
      );
    }
    if (keys.some(({spki}) => spki === undefined)) {
      const message = `refusing to ${what}: ${name} contains a private key that is encrypted or unreadable: it can be the root's, and istiod cannot use it`;
      throw new MeshError('ROOT_KEY_IN_PAYLOAD', message, {hints: ['remove it']});
    }
    if (keys.length > 1 || !keySlots.includes(name)) {
      const which =
        keys.length > 1 ? `${String(keys.length)} private keys` : 'a private key, which does not belong there';
      throw new MeshError('PRIVATE_KEY_IN_PAYLOAD', `refusing to ${what}: ${name} contains ${which}`, {
        hints: ['remove it; if others could read it, the key is compromised: replace it'],
      });
    }
  }
}

/**
 * SPKI hashes of the keys that no cluster may have: those of the mesh's roots and of the CAs above the cluster's, in the
 * work directory, in the cluster's directory, in the directory of the root key, and in the payload.
 */
async function keysAbove(payload: Payload, cluster: string, directories: Directories): Promise<ReadonlySet<string>> {
  const {workspace} = directories;
  const paths = clusterLayout(cluster);
  const store = await storeOfRoot(directories);
  const [caCert, certChain, ...roots] = await Promise.all([
    workspace.readText(paths.caCert),
    workspace.readText(paths.certChain),
    workspace.readText(paths.rootCert),
    workspace.readText(layout.rootCert),
    ifReadable(store.readText(layout.rootCert)),
  ]);
  // istiod's self-signed CA is its own root: a Secret that istiod marked as generated may be restored (rollback).
  const own = isGenerated(payload) ? [] : [payload['root-cert.pem'], payload['ca.crt']];
  const texts = [...roots, ...own.map((value) => value?.reveal().toString('utf8'))];
  const rootKey = await ifReadable(store.readSecret(layout.rootKey));
  const keys: readonly EmbeddedKey[] = rootKey ? embeddedKeys(rootKey) : [];
  const ownKeys = spkisIn(caCert);
  // Another rule handles a bundle that cannot be parsed; it has no keys to compare here.
  return new Set([
    ...texts.flatMap(readableRoots).map(({spki}) => spki),
    ...spkisIn(certChain).filter((spki) => !ownKeys.includes(spki)),
    ...keys.flatMap(({spki}) => spki ?? []),
  ]);
}

/** The directory of the root key according to mesh.yaml; an unreadable mesh.yaml is another error. */
async function storeOfRoot({workspace, rootStore}: Directories): Promise<Deps['workspace']> {
  const text = await workspace.readText(layout.meshYaml);
  if (text === undefined) return workspace;
  const signer = recover(
    () => parseMeshFile(text).trust?.signer,
    () => undefined,
  );
  return signer ? rootStore(signer) : workspace;
}

/** Another user's directory is not needed: the work directory has the root's certificate. */
function ifReadable<T>(read: Promise<T>): Promise<T | undefined> {
  return read.catch((thrown: unknown) => {
    if (thrown instanceof MeshError && thrown.code === 'WORKDIR_UNREADABLE') return undefined;
    throw thrown;
  });
}

function spkisIn(text: string | undefined): readonly string[] {
  return text === undefined ? [] : readableCertificates(text, 'certificates').map(({spki}) => spki);
}

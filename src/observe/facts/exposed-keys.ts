/** Facts about private keys in a cluster that should not be there. */
import {publicFilesOf} from '../../domain/ca/ca-files.js';
import type {RootKeyInSecret} from '../../domain/facts/facts.js';
import {cacertsName, selfSignedName} from '../../domain/istio/names.js';
import {containsKey} from '../../domain/keys/embedded-keys.js';
import {layout} from '../../domain/mesh/layout.js';
import {memoizeByKey} from '../../domain/memoize.js';
import {privateKeysOf, secretDataOf} from '../../domain/trust/cacerts.js';
import type {Derivations, FactSources} from '../fact-sources.js';
import {publicKeysIn} from './key-files.js';

export const exposedKeyFacts: Derivations<'publishedKeys' | 'rootKeysInSecrets'> = {
  publishedKeys: readPublishedKeys,
  rootKeysInSecrets: readRootKeysInSecrets,
};

/** istiod publishes what is in these data keys and ConfigMaps; the ConfigMaps of Istio's namespace include meshConfig. */
async function readPublishedKeys({reads, mesh, fact, cacerts}: FactSources): Promise<readonly string[]> {
  const {namespace} = mesh.istio;
  const [configMaps, bundles, secret] = await Promise.all([
    reads.read('configMaps'),
    fact('bundles'),
    reads.allows('cacerts') ? cacerts() : ('absent' as const),
  ]);
  const inSecret = secret === 'absent' ? [] : publicFilesOf(secret.files).filter(([, text]) => containsKey(text));
  // The text is the same in all namespaces, of which there can be thousands: it is searched once.
  const hasKey = memoizeByKey(containsKey);
  return [
    ...inSecret.map(([name]) => `${name} in Secret ${namespace}/${cacertsName}`),
    ...configMaps
      .filter(({data = {}}) => Object.values(data).some(hasKey))
      .map(({metadata}) => `ConfigMap ${namespace}/${metadata.name}`),
    ...bundles
      .filter((bundle) => bundle.namespace !== namespace && bundle.text !== undefined && hasKey(bundle.text))
      .map((bundle) => `the trust bundle in namespace ${bundle.namespace}`),
  ];
}

/** Compares public keys: the certificate beside the key can be another one. */
async function readRootKeysInSecrets(sources: FactSources): Promise<readonly RootKeyInSecret[]> {
  const {reads, deps, cacerts, workDirCa} = sources;
  const [secret, selfSigned, own, meshRoots] = await Promise.all([
    cacerts(),
    reads.read('selfSigned'),
    workDirCa(),
    publicKeysIn(deps.workspace, layout.rootCert),
  ]);
  const inCacerts = secret === 'absent' ? undefined : secret;
  // A CA that istiod generated is its own root (USE_CACERTS_FOR_SELF_SIGNED_CA).
  const isGenerated = inCacerts !== undefined && 'istio-generated' in inCacerts.data;
  const trusted = [...(own.inspection.roots ?? []), ...(isGenerated ? [] : (inCacerts?.inspection.roots ?? []))];
  const roots = new Set([...meshRoots, ...trusted.map(({spki}) => spki)]);
  const secrets = [
    [cacertsName, inCacerts?.privateKeys ?? {}],
    // Without cacerts, istiod signs with it, which another check reports.
    [selfSignedName, inCacerts && selfSigned ? privateKeysOf(secretDataOf(selfSigned)) : {}],
  ] as const;
  return secrets.flatMap(([name, privateKeys]) =>
    Object.entries(privateKeys).flatMap(([entry, keys]) =>
      keys.some(({spki}) => spki !== undefined && roots.has(spki)) ? [{secret: name, entry}] : [],
    ),
  );
}

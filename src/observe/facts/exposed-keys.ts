/** Facts about private keys in a cluster that should not be there. */
import {publicFilesOf} from '../../domain/ca/ca-files.js';
import {defined} from '../../domain/defined.js';
import type {RootKeyInSecret} from '../../domain/facts/facts.js';
import {cacertsName, previousName, selfSignedName} from '../../domain/istio/names.js';
import {containsKey} from '../../domain/keys/embedded-keys.js';
import type {SecretObject} from '../../domain/kube/objects.js';
import {layout} from '../../domain/mesh/layout.js';
import {memoizeByKey} from '../../domain/memoize.js';
import {isGenerated, privateKeysOf, secretDataOf} from '../../domain/trust/cacerts.js';
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
  const {reads, deps, cluster, cacerts, workDirCa} = sources;
  const [secret, previous, selfSigned, workDir, meshRoots] = await Promise.all([
    cacerts(),
    reads.read('previous'),
    reads.read('selfSigned'),
    workDirCa(),
    publicKeysIn(deps.workspace, layout.rootCert),
  ]);
  const inCacerts = secret === 'absent' ? undefined : secret;
  // A CA that istiod generated is its own root (USE_CACERTS_FOR_SELF_SIGNED_CA).
  const own = inCacerts && !isGenerated(inCacerts.data) ? (inCacerts.inspection.roots ?? []) : [];
  const trusted = [...(workDir.inspection.roots ?? []), ...own];
  const roots = new Set([...meshRoots, ...trusted.map(({spki}) => spki)]);
  const keysOf = (one: SecretObject | undefined) => (one ? privateKeysOf(secretDataOf(one)) : {});
  const secrets = [
    {secret: cacertsName, privateKeys: inCacerts?.privateKeys ?? {}},
    {secret: previousName, privateKeys: keysOf(previous)},
    // Without cacerts, istiod signs with it (istio/istio pilot/pkg/bootstrap/istio_ca.go). A remote cluster has no istiod.
    {
      secret: selfSignedName,
      privateKeys: keysOf(selfSigned),
      inUse: inCacerts === undefined && cluster.role !== 'remote' ? true : undefined,
    },
  ];
  return secrets.flatMap(({privateKeys, ...place}) =>
    Object.entries(privateKeys).flatMap(([entry, keys]) =>
      keys.some(({spki}) => spki !== undefined && roots.has(spki)) ? [defined({...place, entry})] : [],
    ),
  );
}

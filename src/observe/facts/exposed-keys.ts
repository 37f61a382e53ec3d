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
async function readPublishedKeys({reads, mesh, fact, mountedCa}: FactSources): Promise<readonly string[]> {
  const {namespace} = mesh.istio;
  const [configMaps, bundles, secret] = await Promise.all([
    reads.read('configMaps'),
    fact('bundles'),
    reads.allows('cacerts') ? mountedCa() : ('absent' as const),
  ]);
  const inSecret =
    secret === 'absent'
      ? []
      : publicFilesOf(secret.files).flatMap(([file, text]) =>
          containsKey(text) ? [`${file} in Secret ${namespace}/${secret.name}`] : [],
        );
  // The text is the same in all namespaces, of which there can be thousands: it is searched once.
  const hasKey = memoizeByKey(containsKey);
  return [
    ...inSecret,
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
  const {reads, deps, cluster, cacerts, mountedCa, workDirCa} = sources;
  const [secret, mounted, previous, selfSigned, workDir, meshRoots] = await Promise.all([
    cacerts(),
    mountedCa(),
    reads.read('previous'),
    reads.read('selfSigned'),
    workDirCa(),
    publicKeysIn(deps.workspace, layout.rootCert),
  ]);
  const inCacerts = secret === 'absent' ? undefined : secret;
  const inMounted = mounted === 'absent' ? undefined : mounted;
  // A CA that istiod generated is its own root (USE_CACERTS_FOR_SELF_SIGNED_CA).
  const own = inMounted && !isGenerated(inMounted.data) ? (inMounted.inspection.roots ?? []) : [];
  const trusted = [...(workDir.inspection.roots ?? []), ...own];
  const roots = new Set([...meshRoots, ...trusted.map(({spki}) => spki)]);
  const keysOf = (one: SecretObject | undefined) => (one ? privateKeysOf(secretDataOf(one)) : {});
  const secrets = [
    {secret: cacertsName, privateKeys: inCacerts?.privateKeys ?? {}},
    ...(inMounted && inMounted.name !== cacertsName
      ? [{secret: inMounted.name, privateKeys: inMounted.privateKeys, isMounted: true}]
      : []),
    {secret: previousName, privateKeys: keysOf(previous)},
    // Without cacerts, istiod signs with it (istio/istio pilot/pkg/bootstrap/istio_ca.go). A remote cluster has no istiod.
    {
      secret: selfSignedName,
      privateKeys: keysOf(selfSigned),
      inUse: inMounted === undefined && cluster.role !== 'remote' ? true : undefined,
    },
  ];
  return secrets.flatMap(({privateKeys, ...place}) =>
    Object.entries(privateKeys).flatMap(([entry, keys]) =>
      keys.some(({spki}) => spki !== undefined && roots.has(spki)) ? [defined({...place, entry})] : [],
    ),
  );
}

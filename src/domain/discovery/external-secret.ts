/**
 * A remote secret without its token, as an ExternalSecret: External Secrets takes the token from a store and writes the remote
 * secret. Fields: external-secrets/external-secrets config/crds/bases/external-secrets.io_externalsecrets.yaml, version v1.
 */
import {createHash} from 'node:crypto';
import {defined} from '../defined.js';
import type {KubeObject} from '../kube/object.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {clusterAnnotation, discoveryAnnotations, multiClusterLabel, remoteSecretName} from './names.js';
import type {DiscoveryPair} from './pairs.js';
import {writeRemoteKubeconfig, type ApiServerAddress} from './remote-kubeconfig.js';

/** Where External Secrets finds the tokens. */
export interface TokenStore {
  readonly kind: 'SecretStore' | 'ClusterSecretStore';
  readonly name: string;
  /** The property of a value that is a map, as in Vault; absent: the value is the token. */
  readonly property?: string;
  /** The beginning of each key: keeps the meshes that share a store apart. */
  readonly prefix: string;
}

/** The key in ExternalSecret's own data. */
const secretKey = 'token';

/**
 * In a remote kubeconfig's place of the token: a Go template, which External Secrets evaluates, with the functions of sprig
 * (external-secrets.io: guides/templating). kubectl create token prints a line feed after the token.
 */
const slot = `{{ .${secretKey} | trim }}`;

/**
 * Returns the key of a pair's token in the store: letters, digits and hyphens only, as every store permits them (Azure Key Vault,
 * learn.microsoft.com: azure/key-vault/general/about-keys-secrets-certificates, has the fewest).
 */
export function tokenKey({reader, peer}: DiscoveryPair, {prefix}: TokenStore): string {
  const names = [reader.name, peer.name];
  const key = [prefix, reader.name, separator, peer.name].join('-').replace(/[^A-Za-z0-9-]/g, '-');
  // With a name that contains the separator, two pairs could have the same key.
  if (!names.some((name) => name.split('-').includes(separator))) return key;
  return `${key}-${createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 8)}`;
}

/** Between the names in a key. */
const separator = 'reads';

/** Returns the ExternalSecret for a pair, which has the name of the remote secret. */
export function externalSecret(
  pair: DiscoveryPair,
  namespace: string,
  address: ApiServerAddress,
  store: TokenStore,
): KubeObject {
  const {reader, peer} = pair;
  const istioName = istioNameOf(peer);
  const name = remoteSecretName(peer);
  const {kind, name: storeName, property} = store;
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: {name, namespace},
    spec: {
      // A renewed token is in place long before the old one expires.
      refreshInterval: '1h',
      secretStoreRef: {kind, name: storeName},
      target: {
        name,
        // With the ExternalSecret, the remote secret disappears.
        creationPolicy: 'Owner',
        template: {
          type: 'Opaque',
          metadata: {
            labels: {[multiClusterLabel.name]: multiClusterLabel.value},
            annotations: {
              [clusterAnnotation]: istioName,
              [discoveryAnnotations.reader]: reader.name,
              [discoveryAnnotations.peer]: peer.name,
            },
          },
          data: {[istioName]: writeRemoteKubeconfig(istioName, literal(address), slot)},
        },
      },
      data: [{secretKey, remoteRef: defined({key: tokenKey(pair, store), property})}],
    },
  };
}

/** The address with everything that a Go template would evaluate as literal text (pkg.go.dev/text/template, "Text and spaces"). */
function literal(address: ApiServerAddress): ApiServerAddress {
  const escaped = (text: string | undefined): string | undefined => text?.replaceAll('{{', '{{`{{`}}');
  return defined({...address, url: escaped(address.url) ?? '', proxyUrl: escaped(address.proxyUrl)});
}

/** All checks, in the order of their ids. */
import {allowedCheck} from './access/allowed.js';
import {distinctCheck} from './access/distinct.js';
import {keyReadersCheck} from './access/key-readers.js';
import {keyRemotesCheck} from './access/key-remotes.js';
import {keyPathsCheck} from './access/key-paths.js';
import {kubernetesVersionCheck} from './access/kubernetes-version.js';
import {reachableCheck} from './access/reachable.js';
import {uidCheck} from './access/uid.js';
import type {Check} from './check.js';
import {ambientNetworksCheck} from './control-plane/ambient-networks.js';
import {clusterNameCheck} from './control-plane/cluster-name.js';
import {gatewayAddressesCheck} from './control-plane/gateway-addresses.js';
import {exposedServicesCheck} from './control-plane/exposed-services.js';
import {gatewayNetworkCheck} from './control-plane/gateway-network.js';
import {gatewayPodsCheck} from './control-plane/gateway-pods.js';
import {hazardsCheck} from './control-plane/hazards.js';
import {imageHubsCheck} from './control-plane/image-hubs.js';
import {istiodPodsCheck} from './control-plane/istiod-pods.js';
import {meshIDCheck} from './control-plane/mesh-id.js';
import {namespaceCheck} from './control-plane/namespace.js';
import {networkCheck} from './control-plane/network.js';
import {rivalsCheck} from './control-plane/rivals.js';
import {podAddressesCheck} from './control-plane/pod-addresses.js';
import {proxyCaCheck} from './control-plane/proxy-ca.js';
import {proxyClusterNamesCheck} from './control-plane/proxy-cluster-names.js';
import {skewCheck} from './control-plane/skew.js';
import {trustDomainCheck} from './control-plane/trust-domain.js';
import {versionCheck} from './control-plane/version.js';
import {addressCheck} from './discovery/address.js';
import {endpointsCheck} from './discovery/endpoints.js';
import {remoteSecretCheck} from './discovery/remote-secret.js';
import {straySecretsCheck} from './discovery/stray-secrets.js';
import {syncedCheck} from './discovery/synced.js';
import {tokenExpiryCheck} from './discovery/token-expiry.js';
import {tokenCheck} from './discovery/token.js';
import {gatewayChainCheck} from './live/gateway-chain.js';
import {knownClustersCheck} from './live/known-clusters.js';
import {loadedCaCheck} from './live/loaded-ca.js';
import {signingCheck} from './live/signing.js';
import {answeredCheck} from './traffic/answered.js';
import {answeredHereCheck} from './traffic/answered-here.js';
import {acceptanceCheck} from './trust/acceptance.js';
import {bundlesCheck} from './trust/bundles.js';
import {cacertsCheck} from './trust/cacerts.js';
import {clusterExpiryCheck} from './trust/expiry.js';
import {liveChainCheck} from './trust/live-chain.js';
import {publishedKeysCheck} from './trust/published-keys.js';
import {rootKeysCheck} from './trust/root-keys.js';
import {proxiesCheck} from './trust/proxies.js';
import {selfSignedCheck} from './trust/self-signed.js';
import {webhooksCheck} from './trust/webhooks.js';
import {chainCheck} from './workdir/chain.js';
import {completeCheck} from './workdir/complete.js';
import {declarationCheck} from './workdir/declaration.js';
import {filesExpiryCheck} from './workdir/expiry.js';
import {installFileCheck} from './workdir/install-file.js';
import {istioNameCheck} from './workdir/istio-name.js';
import {journalHeadsCheck} from './workdir/journal-heads.js';
import {gitHistoryCheck} from './workdir/git-history.js';
import {journalCheck} from './workdir/journal.js';
import {retainedKeyCheck} from './workdir/retained-key.js';
import {keyCheck} from './workdir/key.js';
import {oneRootCheck} from './workdir/one-root.js';
import {outlivesCheck} from './workdir/outlives.js';
import {publicFilesCheck} from './workdir/public-files.js';
import {permissionsCheck} from './workdir/permissions.js';
import {rootKeyCheck} from './workdir/root-key.js';
import {rightDirectoryCheck} from './workdir/right-directory.js';
import {usedTwiceCheck} from './workdir/used-twice.js';

export const checks: readonly Check[] = [
  declarationCheck,
  completeCheck,
  chainCheck,
  keyCheck,
  oneRootCheck,
  permissionsCheck,
  rootKeyCheck,
  filesExpiryCheck,
  outlivesCheck,
  usedTwiceCheck,
  installFileCheck,
  rightDirectoryCheck,
  journalCheck,
  gitHistoryCheck,
  retainedKeyCheck,
  journalHeadsCheck,
  publicFilesCheck,
  istioNameCheck,
  reachableCheck,
  allowedCheck,
  uidCheck,
  distinctCheck,
  kubernetesVersionCheck,
  keyReadersCheck,
  keyPathsCheck,
  keyRemotesCheck,
  cacertsCheck,
  bundlesCheck,
  liveChainCheck,
  selfSignedCheck,
  clusterExpiryCheck,
  webhooksCheck,
  acceptanceCheck,
  loadedCaCheck,
  signingCheck,
  proxiesCheck,
  publishedKeysCheck,
  rootKeysCheck,
  namespaceCheck,
  istiodPodsCheck,
  gatewayPodsCheck,
  clusterNameCheck,
  networkCheck,
  meshIDCheck,
  trustDomainCheck,
  versionCheck,
  skewCheck,
  hazardsCheck,
  gatewayAddressesCheck,
  knownClustersCheck,
  proxyCaCheck,
  rivalsCheck,
  ambientNetworksCheck,
  proxyClusterNamesCheck,
  imageHubsCheck,
  exposedServicesCheck,
  gatewayNetworkCheck,
  podAddressesCheck,
  gatewayChainCheck,
  remoteSecretCheck,
  straySecretsCheck,
  tokenCheck,
  tokenExpiryCheck,
  addressCheck,
  syncedCheck,
  endpointsCheck,
  answeredCheck,
  answeredHereCheck,
];

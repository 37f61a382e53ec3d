/** Why link does not change, or leave as it is, an existing remote secret. */
import {type ErrorReport, problem} from '../errors.js';
import {some} from '../format.js';
import {remoteSecretDefects} from '../istio/remote-secret-defects.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {advice, fixWith, kubectlMesh, words} from '../suggest/suggestion.js';
import type {SecretVerdict} from './judge-secret.js';
import type {LinkRules, PairFacts} from './link-input.js';
import type {DiscoveryIstiod, StoredRemoteSecret} from './observation.js';
import type {DiscoveryPair} from './pairs.js';
import {losing} from './reader-sync.js';
import {unchangeableReason} from './remote-secret.js';

/** A remote secret to change. */
export interface RemoteChange {
  readonly found: StoredRemoteSecret;
  readonly verdict: SecretVerdict;
  readonly namespace: string;
}

/** The reasons not to change an existing remote secret. */
export function refuseChange(
  {pair: {reader: cluster, peer}, reader}: Pick<PairFacts, 'pair' | 'reader'>,
  {found, verdict, namespace}: RemoteChange,
  {restartIstiod}: Pick<LinkRules, 'restartIstiod'>,
): readonly ErrorReport[] {
  if (verdict.kind === 'valid') return [];
  const {name} = found.metadata;
  const what = `Secret ${namespace}/${name} of cluster ${cluster.name}`;
  const why = unchangeableReason(found);
  if (why !== undefined) {
    const others = Object.keys(found.data).filter((key) => key !== istioNameOf(peer));
    const remove = fixWith.kubectl(cluster, words`-n ${namespace} delete secret ${name}`);
    return [
      problem(
        'OTHER_REMOTE_SECRET',
        `cannot change ${what}, which ${why}: ${verdict.reason}`,
        others.length === 0
          ? advice`replace it: istiod has no endpoints of ${peer.name} until link has run again: ${remove}`
          : `it also has the credentials for ${some(others)}: create one that can be changed in its place`,
      ),
    ];
  }
  const {managedBy} = found;
  const versions = losing(reader);
  return [
    ...(managedBy === undefined
      ? []
      : [
          problem(
            'FOREIGN_OWNER',
            `refusing to change ${what}, which ${managedBy} manages: ${verdict.reason}`,
            `change it with ${managedBy}`,
          ),
        ]),
    ...(versions.length === 0 || restartIstiod
      ? []
      : [losesEndpoints(cluster.name, what, versions[0]?.version.text ?? '')]),
  ];
}

function losesEndpoints(cluster: string, what: string, version: string): ErrorReport {
  const fixed = remoteSecretDefects.endpoints.fixedIn[0];
  return problem(
    'LOSES_ENDPOINTS',
    `refusing to change ${what}: istiod ${version} then loses endpoints until it restarts (istio/istio#61043)`,
    advice`restart it in the same run: ${kubectlMesh('link', [cluster, '--restart-istiod'])}`,
    `Istio ${fixed} and later do not lose them`,
  );
}

/** The error for an istiod that has lost the endpoints of a peer by an earlier change. */
export function lostEndpoints({reader, peer}: DiscoveryPair, {deployment, version}: DiscoveryIstiod): ErrorReport {
  return problem(
    'LOSES_ENDPOINTS',
    `${deployment} ${version.text} of cluster ${reader.name} has lost the endpoints of ${peer.name} (istio/istio#61043): they return when it restarts`,
    advice`restart it: ${kubectlMesh('link', [reader.name, '--restart-istiod'])}`,
  );
}

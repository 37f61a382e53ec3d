import {describe, expect, it} from 'vitest';
import {features, hasFeature, type Feature} from '../../../src/domain/istio/features.js';
import {newestKnown} from '../../../src/domain/istio/versions.js';
import {version} from './version.js';

/** The last version without the feature and the first one with it, for each minor version in which it was introduced. */
const begins: readonly (readonly [Feature, string, string])[] = [
  ['multiRootMesh', '1.9.9', '1.10.0'],
  ['proxyConfigXdsAgent', '1.9.9', '1.10.0'],
  ['networkLabel', '1.7.8', '1.8.0'],
  ['tlsCacerts', '1.14.1', '1.14.2'],
  ['tlsCacerts', '1.13.9', '1.15.0'],
  ['incompleteCacertsRefused', '1.26.0', '1.26.1'],
  ['incompleteCacertsRefused', '1.25.5', '1.27.0'],
  ['policyValidation', '1.25.5', '1.26.0'],
  ['caCrl', '1.26.8', '1.27.0'],
  ['crlCleared', '1.31.0', '1.31.1'],
  ['crlCleared', '1.30.5', '1.32.0'],
  ['cacertsForSelfSigned', '1.19.10', '1.20.0'],
  ['leafExpiresWithSigner', '1.28.6', '1.28.7'],
  ['leafExpiresWithSigner', '1.29.2', '1.29.3'],
  ['leafExpiresWithSigner', '1.27.9', '1.30.0'],
  ['oneCertificatePerElement', '1.24.3', '1.24.4'],
  ['oneCertificatePerElement', '1.25.0', '1.25.1'],
  ['oneCertificatePerElement', '1.23.6', '1.26.0'],
  ['remoteWithoutIstiod', '1.15.7', '1.16.0'],
  ['clusterz', '1.10.6', '1.11.0'],
  ['clusterzReportsTimeout', '1.15.7', '1.16.0'],
  ['clusterzListsItself', '1.21.6', '1.22.0'],
  ['endpointShardz', '1.20.7', '1.20.8'],
  ['expiryMetricsFollowReload', '1.23.6', '1.24.0'],
  ['caExpiryMetric', '1.6.14', '1.7.0'],
  ['remoteClusterTimeoutMetric', '1.9.3', '1.9.4'],
  ['managedClustersMetric', '1.10.6', '1.11.0'],
  ['remoteClusterSyncMetric', '1.29.8', '1.30.0'],
  ['ambientNetworks', '1.26.8', '1.27.0'],
  ['istiodTlsMounted', '1.15.7', '1.16.0'],
  ['kubernetesSigner', '1.23.6', '1.24.0'],
  ['rootCertInKubeSystem', '1.20.8', '1.21.0'],
  ['gatewayHostname', '1.12.9', '1.13.0'],
  ['passthroughListener', '1.12.9', '1.13.0'],
  ['sniRoutingByDefault', '1.11.8', '1.12.0'],
];
/** The last version with the feature and the first one without it. */
const ends: readonly (readonly [Feature, string, string])[] = [
  ['meshExpansion', '1.8.6', '1.9.0'],
  ['globalTrustDomain', '1.9.9', '1.10.0'],
];

describe('a feature', () => {
  it.each(begins)('%s is missing in %s and present in %s', (feature, without, first) => {
    expect([without, first].map((text) => hasFeature(version(text), feature))).toEqual([false, true]);
    expect(hasFeature(newestKnown, feature)).toBe(true);
  });

  it.each(ends)('%s is present in %s and missing in %s', (feature, last, gone) => {
    expect(['1.6.0', last, gone].map((text) => hasFeature(version(text), feature))).toEqual([true, true, false]);
  });

  it('has tested boundaries and a source', () => {
    const tested = new Set([...begins, ...ends].map(([feature]) => feature));
    expect(Object.keys(features).filter((feature) => !tested.has(feature as Feature))).toEqual([]);
    for (const {source} of Object.values(features)) expect(source).toMatch(/\/|\.go|\.proto/);
  });
});

import {expect, it} from 'vitest';
import {externalCertProvider} from '../../../src/domain/istio/environment.js';

it.each([
  [{}, undefined],
  [{PILOT_CERT_PROVIDER: 'istiod'}, undefined],
  [{PILOT_CERT_PROVIDER: ''}, undefined],
  [{PILOT_CERT_PROVIDER: 'kubernetes'}, 'kubernetes'],
  [{PILOT_CERT_PROVIDER: 'k8s.io/clusterissuers.cert-manager.io/ca'}, 'k8s.io/clusterissuers.cert-manager.io/ca'],
])("the provider of istiod's certificate with %j is %s", (env, provider) => {
  expect(externalCertProvider(env)).toBe(provider);
});

/** What istiod and proxies are told where somebody else issues workload certificates. */
import {mergeTrees, type Tree, treeOf} from '../tree.js';
import type {DocumentInput, ExternalIssuer} from './dialect.js';

/** A field and its value. */
export interface ExternalField {
  /** Below `spec`. */
  readonly path: readonly string[];
  readonly value: string;
}

const env = (name: string): readonly string[] => ['values', 'pilot', 'env', name];

/**
 * The fields with one value each, which nobody may set otherwise.
 *
 * istio-csr: proxies ask it (`global.caAddress`), and istiod is no CA (cert-manager/istio-csr hack/istio-config-1.9.1.yaml,
 * pilot/pkg/features/pilot.go); its charts since 1.16 find the certificate that istio-csr makes for istiod by themselves.
 *
 * Kubernetes CSR: istiod forwards requests to a signer (istio/istio security/pkg/pki/ra/k8s_ra.go: CERT_SIGNER_DOMAIN with the
 * name that proxies send, ISTIO_META_CERT_SIGNER), and has its own certificate from the same one (PILOT_CERT_PROVIDER,
 * pilot/pkg/bootstrap/certcontroller.go); istio.io: tasks/security/cert-management/custom-ca-k8s.
 */
export function externalFields(external: ExternalIssuer | undefined): readonly ExternalField[] {
  switch (external?.issuer) {
    case undefined:
      return [];
    case 'istio-csr':
      return [
        {path: ['values', 'global', 'caAddress'], value: external.caAddress},
        {path: env('ENABLE_CA_SERVER'), value: 'false'},
      ];
    case 'kubernetes-csr': {
      const [domain = '', ...name] = external.signerName.split('/');
      return [
        {path: env('EXTERNAL_CA'), value: 'ISTIOD_RA_KUBERNETES_API'},
        {path: env('CERT_SIGNER_DOMAIN'), value: domain},
        {path: ['values', 'global', 'pilotCertProvider'], value: `k8s.io/${external.signerName}`},
        {path: ['meshConfig', 'defaultConfig', 'proxyMetadata', 'ISTIO_META_CERT_SIGNER'], value: name.join('/')},
      ];
    }
  }
}

/** All of it, below `spec`. */
export function externalTree({external}: Pick<DocumentInput, 'external'>): Tree {
  const fields = externalFields(external).map(({path, value}) => treeOf(path, value));
  if (external?.issuer !== 'kubernetes-csr') return fields.reduce<Tree>(mergeTrees, {});
  const {signerName, roots} = external;
  return [
    ...fields,
    // istiod's right to approve requests for this signer.
    {values: {global: {certSigners: [signerName]}}},
    {meshConfig: {caCertificates: [{pem: roots, certSigners: [signerName]}]}},
  ].reduce<Tree>(mergeTrees, {});
}

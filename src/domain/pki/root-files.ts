/** Names of the root CA's files in the work directory: Istio's Makefile's own (istio/istio tools/certs/common.mk). */
export const rootFileNames = {certificate: 'root-cert.pem', key: 'root-key.pem'} as const;

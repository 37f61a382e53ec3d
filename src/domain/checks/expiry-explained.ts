/** Where the limits of the expiry checks come from. */
export const expirySource =
  "mesh.yaml trust.expiry (default: warning below 30 % of the lifetime or 30 days, error below 10 % or 7 days); RFC 5280 4.1.2.5; istio/istio security/pkg/pki/util/generate_cert.go: a workload's certificate ends with its signer's";

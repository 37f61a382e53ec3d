/**
 * The image of the pods of `verify --traffic`: agnhost, which Kubernetes uses for its own network tests. The digest is that of the image
 * for all platforms, as kubernetes-sigs/kueue (hack/testing/e2e-common.sh) and other projects have it with this tag.
 */
export const defaultTrafficImage =
  'registry.k8s.io/e2e-test-images/agnhost:2.53@sha256:99c6b4bb4a1e1df3f0b3752168c89358794d02258ebebc26bf21c29399011a85';

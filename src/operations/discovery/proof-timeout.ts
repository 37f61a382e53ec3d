/**
 * How long istiod may take to follow a change of a remote secret: its watch delivers it within seconds, and
 * PILOT_REMOTE_CLUSTER_TIMEOUT, after which it reports that it could not read a peer, is 30 s by default
 * (istio/istio pilot/pkg/features/pilot.go). Milliseconds.
 */
export const proofTimeoutMs = 60_000;

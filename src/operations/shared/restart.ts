/** How long to wait for istiod's new pods to become available after a restart. Milliseconds. */
export const restartTimeoutMs = 300_000;

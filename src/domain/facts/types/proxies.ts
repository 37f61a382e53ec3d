/** Facts of how far proxies have followed a change of the roots. */

/** Why every proxy is known to trust what istiod has loaded, or why there is nothing to judge. */
export type ProxyRoots =
  /** The bundle is the one that istiod wrote first. */
  | {readonly state: 'never changed'; readonly since: Date}
  /** So long ago that every leaf of that time has ended: each proxy has asked istiod since. */
  | {readonly state: 'outlived'; readonly changedAt: Date}
  /** No proxy was there before. */
  | {readonly state: 'no older proxy'; readonly changedAt: Date}
  /** istiod pushes bundles, and proxies take them at once. */
  | {readonly state: 'pushed'; readonly changedAt: Date; readonly proxies: number}
  /** The object does not say when it was written: Kubernetes before 1.18 keeps no account (managedFields). */
  | {readonly state: 'not recorded'}
  /** istiod publishes the bundle by other means than ConfigMaps. */
  | {readonly state: 'elsewhere'};

/** Where a cluster's CA is made. */
export type CaOrigin =
  /** CLUSTER/ holds something of it. */
  | {readonly from: 'work directory'}
  /** CLUSTER/ holds nothing, and neither does the cluster, or what it holds was written from a work directory; or `--offline`. */
  | {readonly from: 'nowhere'}
  /** CLUSTER/ holds nothing, and `--no-secrets` keeps this program from looking at the cluster's Secret. */
  | {readonly from: 'not asked'}
  /** CLUSTER/ holds nothing, and somebody else fills Secret cacerts, such as cert-manager. */
  | {readonly from: 'elsewhere'; readonly keeper?: string};

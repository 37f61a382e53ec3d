/** Facts from requests between the pods of `verify --traffic`. */

/** What requests of one cluster's client pod to the echo pods of a cluster led to, in the last round. */
export interface TrafficFacts {
  readonly requests: number;
  /** Those that an echo pod of the cluster answered. */
  readonly answered: number;
  /** What came back instead, each text once. */
  readonly failures: readonly TrafficFailure[];
  /** Objects of the target's cluster that can be the cause, where they can be read: of others, and for all of its pods or these. */
  readonly policies?: readonly SuspectPolicy[];
}

/** Requests that failed with the same text. */
export interface TrafficFailure {
  /** The body of a response, or the error of the client. One printable line. */
  readonly text: string;
  readonly isResponse: boolean;
  readonly count: number;
}

/** A policy that can be the cause of failed requests. */
export interface SuspectPolicy {
  readonly kind: 'AuthorizationPolicy' | 'PeerAuthentication';
  /** `NAMESPACE/NAME` */
  readonly name: string;
}

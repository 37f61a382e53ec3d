/** Facts from requests between the pods of `verify --traffic`. */

/** What requests of one cluster's client pod to the echo pods of a cluster led to, in the last round. */
export interface TrafficFacts {
  readonly requests: number;
  /** Those that an echo pod of the cluster answered. */
  readonly answered: number;
  /** What came back instead, each text once. */
  readonly failures: readonly TrafficFailure[];
  /** `NAMESPACE/NAME` of the AuthorizationPolicies that may have denied requests, where a response says so and they can be read. */
  readonly policies?: readonly string[];
}

/** Requests that failed with the same text. */
export interface TrafficFailure {
  /** The body of a response, or the error of the client. One printable line. */
  readonly text: string;
  readonly isResponse: boolean;
  readonly count: number;
}

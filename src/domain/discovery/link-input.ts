/** What link's decision about a pair depends on. */
import type {Observed} from '../observed.js';
import type {DiscoveryObservation} from './observation.js';
import type {DiscoveryPair} from './pairs.js';
import type {TokenVerdict} from './token.js';

/** Overrides of refusals. */
export interface LinkRules {
  readonly allowLocalAddress: boolean;
  /** Also restarts an istiod that would lose endpoints. */
  readonly restartIstiod: boolean;
}

/** One pair with what was observed of both clusters. */
export interface PairFacts {
  readonly pair: DiscoveryPair;
  readonly reader: DiscoveryObservation;
  readonly peer: DiscoveryObservation;
  /** The verdicts of the peer's API server on the tokens in the reader's remote secrets, by Secret. */
  readonly reviews: ReadonlyMap<string, Observed<TokenVerdict>>;
}

/** What all actions of a plan have. */
import type {Hint} from '../domain/suggest/suggestion.js';

/** The fields of every action. */
export interface ActionBase {
  /** Unique in its plan and stable between runs: `cluster1/cacerts`. Recorded in the journal. */
  readonly id: string;
  readonly cluster?: string;
  /** A description for people, without the cluster's name: "replace Secret istio-system/cacerts". */
  readonly title: string;
  /** Set if replacing or deleting something requires confirmation (docs/architecture.md): what would be lost. */
  readonly confirm?: string;
  /** What to do instead of confirming: the first hints if the confirmation is missing. */
  readonly confirmHints?: readonly Hint[];
}

/** The additional fields of every action in a cluster. */
export interface ClusterAction extends ActionBase {
  readonly cluster: string;
  readonly context: string;
}

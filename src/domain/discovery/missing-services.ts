/** The services of a peer that a reader's istiod has to know, and those that it lacks. */

/** The names (NAMESPACE/NAME) of services with endpoints, as istiods list them. */
export interface ListedServices {
  /** In the reader's own cluster, by its istiod. */
  readonly here: ReadonlySet<string>;
  /** In the peer, by each of the peer's own istiods. */
  readonly there: readonly ReadonlySet<string>[];
  /** In the peer, by the reader's istiod. */
  readonly found: ReadonlySet<string>;
}

/** Returns the services with endpoints in both clusters, each once. */
export function commonServices({here, there}: Omit<ListedServices, 'found'>): readonly string[] {
  return [...new Set(there.flatMap((names) => [...names].filter((name) => here.has(name))))];
}

/** Returns those of which the reader has no endpoints in the peer. */
export function missingServices({here, there, found}: ListedServices): readonly string[] {
  // Nearly always both list the same, and equal sets are one object.
  const others = there.filter((names) => names !== found);
  if (others.length === 0) return [];
  return commonServices({here, there: others}).filter((name) => !found.has(name));
}

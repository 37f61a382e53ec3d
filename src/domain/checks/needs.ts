import type {Check} from './check.js';
import {factOrigins} from './facts.js';
import type {FactKey} from './facts.js';

/** What the user does not want to be read. */
export interface Limits {
  /** `--no-secrets`: read no Secret. */
  readonly noSecrets: boolean;
  /** `--no-live`: open no connection to istiod. */
  readonly noLive: boolean;
  /** `--offline`: talk to no cluster. */
  readonly offline: boolean;
  /** `--access`: read who may do what (RBAC), and remote secrets. */
  readonly access?: boolean;
}

/** The facts that some checks need or use, without doubles. */
export function neededFacts(checks: readonly Check[]): ReadonlySet<FactKey> {
  return new Set(checks.flatMap(({needs, uses = []}) => [...needs, ...uses]));
}

/** Why a fact is not gathered, in the words of the flag that said so; undefined when it is. */
export function leftOutBy(key: FactKey, limits: Limits): string | undefined {
  const {from, onRequest} = factOrigins[key];
  if (limits.offline && from !== 'work directory') return '--offline: no cluster was asked';
  if (onRequest !== undefined && limits.access !== true) return `without ${onRequest}: nobody asked who may do what`;
  if (limits.noLive && from === 'live istiod') return '--no-live: istiod was not asked';
  if (limits.noSecrets && from === 'Secret') return '--no-secrets: no Secret was read';
  return undefined;
}

import type {Check} from './check.js';
import type {FactKey} from './facts.js';

/** What the user does not want to be read. */
export interface Limits {
  /** `--no-secrets`: read no Secret. */
  readonly noSecrets: boolean;
  /** `--no-live`: open no connection to istiod. */
  readonly noLive: boolean;
  /** `--offline`: talk to no cluster. */
  readonly offline: boolean;
}

/** Facts that come from the work directory alone. */
const localFacts: readonly FactKey[] = ['declaration', 'rootKey', 'meshRoots', 'fileModes', 'caFiles', 'installFile'];
/** Facts that need the content of a Secret. */
const secretFacts: readonly FactKey[] = ['cacerts', 'restartOnPush', 'selfSignedRoot'];
/** Facts that need a connection to a running istiod. */
const liveFacts: readonly FactKey[] = ['servedChains'];

/** The facts that some checks need, without doubles. */
export function neededFacts(checks: readonly Check[]): ReadonlySet<FactKey> {
  return new Set(checks.flatMap(({needs}) => needs));
}

/** Why a fact is not gathered, in the words of the flag that said so; undefined when it is. */
export function leftOutBy(key: FactKey, limits: Limits): string | undefined {
  if (limits.offline && !localFacts.includes(key)) return '--offline: no cluster was asked';
  if (limits.noLive && liveFacts.includes(key)) return '--no-live: istiod was not asked';
  if (limits.noSecrets && secretFacts.includes(key)) return '--no-secrets: no Secret was read';
  return undefined;
}

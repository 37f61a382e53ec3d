import type {LimitingFlag, Limits} from '../facts/limits.js';
import type {Check} from './check.js';
import {limitOnFact, type FactKey} from '../facts/facts.js';

/** The facts that some checks need or use, without doubles. */
export function neededFacts(checks: readonly Check[]): ReadonlySet<FactKey> {
  return new Set(checks.flatMap(({needs, uses = []}) => [...needs, ...uses]));
}

const reasons: Readonly<Record<LimitingFlag, string>> = {
  '--offline': '--offline: no cluster was asked',
  '--access': 'without --access: nobody asked who may do what',
  '--no-live': '--no-live: istiod was not asked',
  '--no-secrets': '--no-secrets: no Secret was read',
};

/** Why a fact is not gathered, in the words of the flag that said so; undefined when it is. */
export function leftOutBy(key: FactKey, limits: Limits): string | undefined {
  const flag = limitOnFact(key, limits);
  return flag && reasons[flag];
}

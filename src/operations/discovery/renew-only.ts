/** `link --renew-only`: renews tokens in existing remote secrets, and reports pairs that need anything else. Pure. */
import {some} from '../../domain/format.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Warning} from '../../engine/operation.js';
import type {DecidedPair} from './link-facts.js';

/**
 * Leaves out of a decision what is not a renewal. A pair that another command unlinked stays unlinked, and nothing is deleted: the
 * rights of the renewer do not include it.
 */
export function renewalOnly(decided: DecidedPair): DecidedPair {
  const {pair, decision, errors} = decided;
  if (!decision) return decided;
  const {name, isNew} = decision.readerSecret;
  const renewal = {...decision, readerSecret: {name, isNew}};
  const withheld = (finding: string): DecidedPair => ({pair, errors, finding});
  switch (decision.kind) {
    case 'unchanged':
      return {...decided, decision: {...renewal, prove: false}};
    case 'create':
      return withheld('there is no remote secret');
    case 'replace':
      return withheld(`its remote secret has to be replaced (${decision.reason ?? ''})`);
    case 'renew':
      return isNew
        ? withheld(`its token cannot be renewed without a new reader Secret (${decision.reason ?? ''})`)
        : {...decided, decision: renewal};
  }
}

/** How to link the pairs that were left out. */
export function withheldWarning(decided: readonly DecidedPair[]): readonly Warning[] {
  const readers = [...new Set(decided.flatMap(({pair, finding}) => (finding === undefined ? [] : [pair.reader.name])))];
  if (readers.length === 0) return [];
  return [
    {
      message: advice`${some(readers)}: remote secrets that --renew-only does not create or replace; to write them: ${kubectlMesh('link', readers)}`,
    },
  ];
}

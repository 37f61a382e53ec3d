import type {PassphraseResult, Protection} from '../../operations/certs/passphrase.js';
import {generalErrorLines} from '../format.js';
import type {View} from '../view.js';

/** `certs passphrase`: the root key's protection, then the errors. */
export const certsPassphraseView: View<PassphraseResult> = {
  text: (result) => [...lineOf(result), ...generalErrorLines(result.errors)].join('\n'),
};

function lineOf({outcome, action, before, after, dryRun}: PassphraseResult): readonly string[] {
  if (outcome === 'skipped' && dryRun !== undefined && action !== undefined) return [`root key: would ${action}`];
  if (outcome === 'done' && after) {
    const changed = before && describe(before) !== describe(after) ? ` (previously ${describe(before)})` : '';
    return [`root key: ${describe(after)}${changed}`];
  }
  return [`root key: ${outcome}${outcome === 'unchanged' && before ? `, ${describe(before)}` : ''}`];
}

function describe({protection, cipher, kdf}: Protection): string {
  return protection === 'clear' ? 'not encrypted' : `encrypted with ${cipher ?? '?'} and ${kdf ?? '?'}`;
}

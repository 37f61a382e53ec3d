import {untilAborted} from '../../tools/bounded.js';
import type {Deps} from '../deps.js';
import type {PlannedPassphrase} from '../operation.js';

/** Gets the passphrase, and opens the signer that it protects. Throws `WRONG_PASSPHRASE`, and what both throw. */
export async function preparePassphrase({purpose, path, opens}: PlannedPassphrase, deps: Deps): Promise<void> {
  await (opens ? untilAborted(deps.signers.issuer(opens), deps.signal) : deps.passphrases.get(purpose, path));
}

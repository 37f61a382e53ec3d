/** Every mutator. */
import {contentMutators} from './contents.js';
import {encodingMutators} from './encoding.js';
import {extensionMutators} from './extensions.js';
import {generalNameMutators} from './general-names.js';
import {keyFileMutators} from './key-files.js';
import {keyIdentifierMutators} from './key-identifiers.js';
import type {Mutator} from './mutator.js';
import {nameMutators} from './names.js';
import {pemFileMutators} from './pem-files.js';
import {pemMutators} from './pem.js';
import {policyMutators} from './policies.js';
import {publicKeyMutators} from './public-keys.js';
import {timeAndSignatureMutators} from './times-and-signatures.js';
import {twinMutators} from './twins.js';

export const allMutators: readonly Mutator[] = [
  ...contentMutators,
  ...twinMutators,
  ...pemMutators,
  ...pemFileMutators,
  ...nameMutators,
  ...publicKeyMutators,
  ...keyFileMutators,
  ...extensionMutators,
  ...keyIdentifierMutators,
  ...policyMutators,
  ...generalNameMutators,
  ...timeAndSignatureMutators,
  ...encodingMutators,
];

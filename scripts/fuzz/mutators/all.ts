/** Every mutator. */
import {encodingMutators} from './encoding.js';
import {extensionMutators} from './extensions.js';
import {fileMutators} from './files.js';
import {keyFileMutators} from './key-files.js';
import type {Mutator} from './mutator.js';
import {nameMutators} from './names.js';
import {publicKeyMutators} from './public-keys.js';

export const allMutators: readonly Mutator[] = [
  ...fileMutators,
  ...nameMutators,
  ...publicKeyMutators,
  ...keyFileMutators,
  ...extensionMutators,
  ...encodingMutators,
];

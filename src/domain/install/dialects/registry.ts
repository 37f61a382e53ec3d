import {factFor} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';
import type {Dialect} from './dialect.js';
import {guide2020} from './guide-2020.js';
import {helmValues} from './helm-values.js';
import {networkLabels} from './network-labels.js';

/** Every dialect, oldest first: a new one is a file and a line here. */
export const dialects: readonly [Dialect, ...Dialect[]] = [guide2020, networkLabels, helmValues];

/** The dialect of a version: the last one that starts at or before it. */
export function dialectFor(version: IstioVersion): Dialect {
  return factFor(dialects, version);
}

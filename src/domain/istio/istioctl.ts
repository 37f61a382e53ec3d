/** istioctl's command line, by version. */
import {factFor, since, type Since} from './since.js';
import type {IstioVersion} from './version.js';

/** The istioctl command that applies an IstioOperator document. */
export interface ApplyCommand {
  readonly words: readonly string[];
  /** Flags in addition to `-f`, `-y` and `--readiness-timeout`, which all versions have. */
  readonly flags: readonly string[];
}

/** The install subcommands: 1.7 removed `manifest apply`, and only 1.6 requires `--wait`. */
export const applyCommands: readonly [Since<ApplyCommand>, ...Since<ApplyCommand>[]] = [
  since('1.6', {words: ['manifest', 'apply'], flags: ['--wait']}, '1.6.14:operator/cmd/mesh/manifest-apply.go'),
  since('1.7', {words: ['install'], flags: []}, '1.7.8:operator/cmd/mesh/install.go'),
];

/** Returns the apply command of an istioctl version. */
export function applyCommand(version: IstioVersion): ApplyCommand {
  return factFor(applyCommands, version).value;
}

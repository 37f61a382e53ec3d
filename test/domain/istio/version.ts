/** A version as tests write it. */
import {type IstioVersion, parseVersion} from '../../../src/domain/istio/version.js';

/** Reads `1.30.3`. Throws when it is none: the test is wrong then. */
export function version(text: string): IstioVersion {
  const parsed = parseVersion(text);
  if (!parsed) throw new Error(`${text} should parse`);
  return parsed;
}

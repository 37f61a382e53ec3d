/** Versions in tests. */
import {type IstioVersion, parseVersion} from '../../../src/domain/istio/version.js';

/** Parses a version such as `1.30.3`. Throws if the text is not a version, which is an error of the test. */
export function version(text: string): IstioVersion {
  const parsed = parseVersion(text);
  if (!parsed) throw new Error(`${text} should parse`);
  return parsed;
}

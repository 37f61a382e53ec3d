import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';

/** The version of istio.io/istio that a go.mod of the control planes requires. */
function istioVersion(folder: string): string | undefined {
  const file = new URL(`../../e2e/control-planes/${folder}/go.mod`, import.meta.url);
  return /^\s*istio\.io\/istio (\S+)/m.exec(readFileSync(file, 'utf8'))?.[1];
}

it("the fuzzer's loader and the control planes use the same istiod", () => {
  expect(istioVersion('ca-loader')).toMatch(/^v/);
  expect(istioVersion('ca-loader')).toBe(istioVersion('istio'));
});

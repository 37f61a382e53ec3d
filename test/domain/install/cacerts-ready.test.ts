import {expect, it} from 'vitest';
import {refuseCa} from '../../../src/domain/install/cacerts-ready.js';
import type {CaSource} from '../../../src/domain/istio/ca-source.js';
import {hintTexts} from '../../helpers/suggestions.js';

it.each<[string, CaSource, boolean]>([
  ['is a push to Secret cacerts if istiod mounts another Secret', {from: 'secret', name: 'mesh-ca'}, true],
  ['is no push if its CA is unknown: it would be refused again', {from: 'volume', what: 'a CSI volume'}, false],
])('the way to Secret cacerts %s', (_, source, isPush) => {
  const refusal = refuseCa({
    ...{cluster: 'c1', namespace: 'istio-system', wanted: 'foreign', installYaml: ''},
    ...{cacerts: 'absent', mountedCa: 'absent', running: {istiod: 'istiod', source}},
  });
  expect(refusal?.code).toBe('CACERTS_NOT_MOUNTED');
  expect(
    hintTexts(refusal?.hints ?? [])
      .join()
      .includes('trust push c1 --allow-unmounted'),
  ).toBe(isPush);
});

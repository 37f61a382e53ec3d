import {X509Certificate} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {caseOf} from '../../../scripts/fuzz/cases.js';
import {allMutators} from '../../../scripts/fuzz/mutators/all.js';
import {baseSets, encodeSet} from '../../../scripts/fuzz/sets.js';
import {inspectCaFiles} from '../../../src/domain/ca/inspect-ca.js';
import {Sensitive} from '../../../src/domain/sensitive.js';

describe('base sets', () => {
  it.each(Object.entries(baseSets))('%s is valid for openssl and for istiod', (_, create) => {
    const files = encodeSet(create());
    const text = (name: keyof typeof files): string => files[name].toString();
    const [ca, root] = [new X509Certificate(text('ca-cert.pem')), new X509Certificate(text('root-cert.pem'))];
    expect(root.verify(root.publicKey)).toBe(true);
    expect(ca.subject).toContain('Cluster CA');
    const {loads, findings} = inspectCaFiles(
      {
        caCert: text('ca-cert.pem'),
        caKey: new Sensitive(text('ca-key.pem')),
        rootCert: text('root-cert.pem'),
        certChain: text('cert-chain.pem'),
      },
      {now: new Date('2026-06-01')},
    );
    expect({loads, findings}).toEqual({loads: true, findings: []});
  });
});

describe('cases', () => {
  it('are the same for a seed, and others for another seed', () => {
    for (const index of [0, 7, 1234]) {
      expect(caseOf('s', index)).toEqual(caseOf('s', index));
      expect(caseOf('s', index).files).not.toEqual(caseOf('t', index).files);
    }
  });

  it('can be limited to variants', () => {
    expect(caseOf('s', 3, ['serial/', 'time/']).variant).toMatch(/^(?:serial|time)\//);
    expect(() => caseOf('s', 3, ['none/'])).toThrow(RangeError);
  });

  it('of one round use every variant once and change the files', () => {
    const round = Array.from({length: allMutators.length}, (_, index) => caseOf('round', index));
    expect(new Set(round.map(({variant}) => variant)).size).toBe(allMutators.length);
    const unchanged = new Set(Object.values(baseSets).map((create) => JSON.stringify(encodeSet(create()))));
    const ineffective = round.filter(({files}) => unchanged.has(JSON.stringify(files))).map(({variant}) => variant);
    expect(ineffective).toContain('unchanged');
    // A random change, an option of only some algorithms, or something between blocks can have no effect in one case.
    expect(ineffective.length).toBeLessThan(allMutators.length / 20);
  });
});

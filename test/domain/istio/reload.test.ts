import {describe, expect, it} from 'vitest';
import {reloadRule, reloadRules} from '../../../src/domain/istio/reload.js';
import {version} from './version.js';

/** The first and last version of each rule. */
const rules = [
  ['1.6.0', '1.11.8', 'never', 'never'],
  ['1.12.0', '1.13.9', 'never', 'never'],
  ['1.14.0', '1.17.8', {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: false}, 'never'],
  ['1.18.0', '1.18.7', {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: true}, 'never'],
  ['1.19.0', '1.19.10', 'always', 'never'],
  ['1.20.0', '1.29.6', 'always', 'byte-substring'],
  ['1.30.0', '1.31.0', 'always', 'certificate-subset'],
] as const;

describe('the reload rule', () => {
  it.each(rules)('from %s to %s: a cluster CA %j, a root %s', (first, last, clusterCa, root) => {
    expect(reloadRule(version(first))).toEqual({clusterCa, root});
    expect(reloadRule(version(last))).toEqual({clusterCa, root});
  });

  it('has tested boundaries and a source', () => {
    expect(reloadRules.map(({from}) => `${from}.0`)).toEqual(rules.map(([first]) => first));
    for (const {source} of reloadRules) expect(source).toMatch(/\.go/);
  });
});

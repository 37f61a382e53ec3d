import {describe, expect, it} from 'vitest';
import {type Check, requiredFacts} from '../../../src/domain/checks/check.js';
import {PerPod, type ServedChain} from '../../../src/domain/facts/facts.js';
import {checkGroups, matches} from '../../../src/domain/checks/select.js';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {ErrorReport} from '../../../src/domain/errors.js';
import {evidence, meshValues} from './healthy.js';

const reason: ErrorReport = {code: 'FORBIDDEN', message: 'you may not read that', hints: ['kubectl auth can-i']};

describe('the registry of checks', () => {
  it('has unique ids, in order, with known group prefixes', () => {
    const ids = checks.map(({id}) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    for (const id of ids) expect(Object.keys(checkGroups).some((prefix) => matches(id, prefix))).toBe(true);
  });

  it('documents every check completely, with a source', () => {
    for (const {title, meaning, breaks, byHand, fix, source} of checks) {
      expect([title, meaning, breaks, byHand, fix, source].every((text) => text.length > 10)).toBe(true);
      expect(title.endsWith('.')).toBe(false);
    }
  });

  it('implies only existing checks or groups, without cycles', () => {
    const implied = ({id, implies}: Check): readonly Check[] =>
      checks.filter((other) => other.id !== id && implies.some((word) => matches(other.id, word)));
    const walk = (check: Check, path: readonly string[]): void => {
      expect(path).not.toContain(check.id);
      for (const next of implied(check)) walk(next, [...path, check.id]);
    };
    for (const check of checks) {
      for (const word of check.implies) {
        expect(checks.some(({id}) => matches(id, word))).toBe(true);
        expect(word).not.toBe(check.id);
      }
      walk(check, []);
    }
  });
});

describe('a healthy mesh', () => {
  it('is ok: no finding, nothing unknown, and a result of every check', () => {
    const report = judgedText(checks, evidence());
    expect(report.checks.filter(({result}) => result !== 'ok')).toEqual([]);
    expect(report.verdict).toBe('ok');
    expect(new Set(report.checks.map(({id}) => id))).toEqual(new Set(checks.map(({id}) => id)));
  });
});

const requirements = checks.flatMap((check) => check.requires.map((key) => [check.id, key] as const));

describe('a required fact', () => {
  it.each(requirements)('that is unknown makes %s unknown, never ok: %s', (id, key) => {
    const check = checks.filter((one) => one.id === id);
    const isOfMesh = key in meshValues();
    const unknown = {[key]: {unknown: reason}};
    const report = judgedText(check, evidence(isOfMesh ? {meshFacts: unknown} : {facts1: unknown}));
    const side = check[0]?.sides?.[key];
    const about = report.checks.filter((row) => {
      if (row.peer !== undefined && side !== undefined) return row[side === 'self' ? 'cluster' : 'peer'] === 'cluster1';
      return row.cluster === undefined || row.cluster === 'cluster1' || isOfMesh;
    });
    expect(about.length).toBeGreaterThan(0);
    for (const row of about) {
      expect(row).toMatchObject({result: 'unknown', reason: reason.message, fix: 'kubectl auth can-i', error: reason});
    }
    expect(report.verdict).toBe('unknown');
  });

  it.each(requirements)('that a flag omits makes %s skipped, never ok: %s', (id, key) => {
    const check = checks.filter((one) => one.id === id);
    const omitted = {[key]: {omitted: '--offline: no cluster was contacted'}};
    const isOfMesh = key in meshValues();
    const healthy = evidence(isOfMesh ? {meshFacts: omitted} : {facts1: omitted});
    // In both clusters, as with a flag.
    const both = {
      ...healthy,
      clusters: healthy.clusters.map((one) => ({...one, facts: {...one.facts, ...(isOfMesh ? {} : omitted)}})),
    };
    const report = judgedText(check, both);
    expect(report.checks.map(({result}) => result)).toEqual(report.checks.map(() => 'skipped'));
  });

  it.each(requirements)('that was not gathered makes %s unknown: %s', (id, key) => {
    const check = checks.filter((one) => one.id === id);
    const healthy = evidence();
    const without = <Facts extends object>(facts: Facts): Facts =>
      Object.fromEntries(Object.entries(facts).filter(([name]) => name !== key)) as Facts;
    const report = judgedText(check, {
      ...healthy,
      facts: without(healthy.facts),
      clusters: healthy.clusters.map(({cluster, facts}) => ({cluster, facts: without(facts)})),
    });
    expect(report.verdict).toBe('unknown');
  });

  it('with an unknown part stays unknown and keeps the findings of the other parts', () => {
    const parts = new PerPod<ServedChain>([{name: 'istiod-1', observed: {unknown: reason}}]);
    const report = judgedText(checks, evidence({cluster1: {servedChains: parts}}));
    expect(report.checks.filter(({result}) => result !== 'ok').map(({id, result}) => [id, result])).toEqual([
      ['MESH303', 'unknown'],
      ['MESH307', 'unknown'],
    ]);
  });
});

describe('the gathered facts', () => {
  it('are those that the selected checks require, each once', () => {
    const some = checks.filter(({id}) => id === 'MESH103' || id === 'MESH104' || id === 'MESH105');
    expect([...requiredFacts(some)]).toEqual(['caFiles', 'meshRoots']);
  });
});

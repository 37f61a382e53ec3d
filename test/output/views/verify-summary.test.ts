/** The text of verify without -v: what passes in a few lines, what does not in full. */
import {describe, expect, it} from 'vitest';
import {FindingKind, type Row} from '../../../src/domain/checks/report.js';
import {fixWith, inspectWith} from '../../../src/domain/suggest/suggestion.js';
import {verifyText} from '../../../src/output/views/verify-text.js';
import {printed} from '../../helpers/suggestions.js';

const base: Row = {
  id: 'MESH301',
  title: 'Secret cacerts equals the work directory',
  severity: 'error',
  scope: 'cluster',
  result: 'ok',
  observed: 'equal',
  expected: 'equal',
  vantage: 'API server',
  fix: '',
};

/** Two checks of the mesh, three of each cluster, one of each pair. */
function meshOf(count: number, change: (row: Row) => Partial<Row> = () => ({})): readonly Row[] {
  const names = Array.from({length: count}, (_, index) => `c${String(index + 1)}`);
  const mesh = (['MESH101', 'MESH105'] as const).map((id) => ({...base, id}));
  const own = names.flatMap((cluster) =>
    (['MESH103', 'MESH301', 'MESH402'] as const).map((id) => ({...base, id, cluster})),
  );
  const pairs = names.flatMap((cluster) =>
    names.filter((peer) => peer !== cluster).map((peer) => ({...base, id: 'MESH307' as const, cluster, peer})),
  );
  return [...mesh, ...own, ...pairs].map((row) => ({...row, ...change(row)}));
}

function text(checks: readonly Row[], options: {readonly color?: boolean; readonly verbose?: boolean} = {}): string {
  const verdict = checks.some(({result}) => result === 'error') ? 'error' : 'ok';
  return verifyText(printed({verdict, checks, warnings: [], mesh: {clusters: []}}), options);
}

describe('what passes', () => {
  it('is a line for the mesh, one for each cluster, and the verdict', () => {
    expect(text(meshOf(2)).split('\n')).toEqual([
      'mesh  2 checks ok',
      'c1    4 checks ok',
      'c2    4 checks ok',
      '',
      'Verdict: ok (10 ok)',
    ]);
  });

  it.each([
    [12, ['mesh  2 checks ok', 'c1    14 checks ok', 'c2    14 checks ok']],
    [13, ['mesh         2 checks ok', '13 clusters  195 checks ok', '']],
  ] as const)('of %i clusters', (count, first) => {
    expect(text(meshOf(count)).split('\n').slice(0, 3)).toEqual(first);
  });

  it('leaves skipped checks out, which neither pass nor fail, and names a cluster of which all are skipped', () => {
    const skipped = meshOf(2, ({id, cluster}) =>
      cluster === 'c2' || id === 'MESH103' ? {result: 'skipped', reason: '--offline'} : {},
    );
    expect(text(skipped).split('\n')).toEqual([
      'mesh  2 checks ok',
      'c1    3 checks ok',
      'c2    4 checks skipped',
      '',
      'Verdict: ok (5 ok, 5 skipped)',
    ]);
  });

  it('is printed in full with -v', () => {
    const lines = text(meshOf(13), {verbose: true}).split('\n');
    expect(lines.filter((line) => line.startsWith('  ok ')).length).toBe(2 + 13 * 3 + 1);
  });
});

describe('what does not pass', () => {
  it('is printed below what passes, with the counts of its cluster', () => {
    const failing = meshOf(2, ({id, cluster}) =>
      id === 'MESH301' && cluster === 'c1' ? {result: 'error', observed: 'other', fix: 'push it'} : {},
    );
    expect(text(failing).split('\n')).toEqual([
      'mesh  2 checks ok',
      'c2    4 checks ok',
      '',
      'c1  1 error, 3 ok',
      '  error    MESH301  Secret cacerts equals the work directory',
      '           observed: other',
      '           expected: equal',
      '           fix:      push it',
      '',
      'Verdict: error (1 error, 9 ok)',
    ]);
  });

  it.each(['warning', 'unknown'] as const)('%s: never counts as ok, and is always shown', (result) => {
    const checks = meshOf(20, ({id, cluster}) =>
      id === 'MESH402' && cluster === 'c7' ? {result, reason: 'forbidden', observed: ''} : {},
    );
    const lines = text(checks).split('\n');
    expect(lines.slice(0, 2)).toEqual(['mesh         2 checks ok', '19 clusters  418 checks ok']);
    expect(lines.find((line) => line.startsWith('c7'))).toBe(
      `c7  ${result === 'unknown' ? '1 unknown' : '1 warning'}, 21 ok`,
    );
    expect(lines).toContain('           reason:   forbidden');
  });

  it('is one block for clusters with the same lines', () => {
    const checks = meshOf(8, ({id, cluster, peer}) => {
      if (id === 'MESH402' && cluster === 'c8') return {result: 'unknown', reason: 'no answer'};
      return peer === 'c8' ? {result: 'unknown', impliedBy: 'MESH402'} : {};
    });
    const lines = text(checks).split('\n');
    expect(lines).toContain('c1, c2, c3, c4, c5 and 2 more  1 unknown, 9 ok each');
    expect(lines.filter((line) => line.includes('MESH307'))).toEqual([
      '  unknown  MESH307  Secret cacerts equals the work directory (to c8: follows from MESH402)',
    ]);
  });

  it('names the pair of clusters', () => {
    const checks = meshOf(3, ({cluster, peer}) => (cluster === 'c1' && peer === 'c3' ? {result: 'error'} : {}));
    const lines = text(checks).split('\n');
    const at = lines.indexOf('c1  1 error, 4 ok');
    expect(lines.slice(at + 1, at + 3)).toEqual([
      '  c1 to c3',
      '  error    MESH307  Secret cacerts equals the work directory',
    ]);
  });

  describe('about pairs of clusters', () => {
    /** c20 has another root: no other cluster accepts it, and it accepts no other. */
    const isOther = ({cluster, peer}: Row): boolean => peer !== undefined && (cluster === 'c20') !== (peer === 'c20');
    const ofPair = ({cluster = '', peer = ''}: Row): Partial<Row> => ({
      result: 'error',
      kind: new FindingKind('another root'),
      observed: `istiod-1 of ${peer} presents a chain`,
      expected: `a chain to a root, trusted by ${cluster}`,
      fix: 'kubectl mesh trust push c20',
    });
    const findings = [
      'c1, c2, c3, c4, c5 and 14 more to c20 (19 pairs)',
      '  error    MESH307  Secret cacerts equals the work directory',
      '           observed: istiod-1 of c20 presents a chain',
      '           expected: a chain to a root, trusted by c1, a chain to a root, trusted by c2 and 17 more',
      '           fix:      kubectl mesh trust push c20',
      '',
      'c20 to c1, c2, c3, c4, c5 and 14 more (19 pairs)',
      '  error    MESH307  Secret cacerts equals the work directory',
      '           observed: istiod-1 of c1 presents a chain, istiod-1 of c2 presents a chain and 17 more',
      '           expected: a chain to a root, trusted by c20',
      '           fix:      the same as for MESH307, c1, c2, c3, c4, c5 and 14 more to c20',
      '',
    ];
    const rows = meshOf(20, (row) => (isOther(row) ? ofPair(row) : {}));

    it('is one block for equal results, after the counts of each cluster', () => {
      expect(text(rows).split('\n')).toEqual([
        'mesh  2 checks ok',
        '',
        'c1, c2, c3, c4, c5 and 14 more  1 error, 21 ok each',
        '',
        'c20  19 errors, 3 ok',
        '',
        ...findings,
        'Verdict: error (38 errors, 404 ok)',
      ]);
    });

    it('is the same with -v, where what passes is one block', () => {
      const lines = text(rows, {verbose: true}).split('\n');
      expect(lines.slice(-findings.length - 4)).toEqual([
        '19 of 20 clusters: c1, c2, c3, c4, c5 and 14 more to the others',
        '  ok       MESH307  Secret cacerts equals the work directory (18 of 19 clusters)',
        '',
        ...findings,
        'Verdict: error (38 errors, 404 ok)',
      ]);
    });

    it('is not folded if it states something else', () => {
      const differing = meshOf(20, (row) =>
        isOther(row) ? {...ofPair(row), kind: new FindingKind(`${row.cluster ?? ''}${row.peer ?? ''}`)} : {},
      );
      expect(text(differing).split('\n')).toContain('  c1 to c20');
      expect(text(differing)).not.toContain(' pairs)');
    });

    it('prints every command that fixes it if they cannot be one', () => {
      const differing = meshOf(4, ({cluster = '', peer}) =>
        peer === 'c4' ? {result: 'error', kind: new FindingKind('x'), fix: fixWith.run('fix', [cluster])} : {},
      );
      const fixes = text(differing)
        .split('\n')
        .filter((line) => line.includes('fix:'));
      expect(fixes.map((line) => line.trim())).toEqual(['c1', 'c2', 'c3'].map((name) => `fix:      fix ${name}`));
    });
  });
});

it('differs at a terminal in colours only', () => {
  const checks = meshOf(3, ({cluster}) => (cluster === 'c2' ? {result: 'error'} : {}));
  const coloured = text(checks, {color: true});
  expect(coloured).toContain('\u001b[31merror');
  expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(text(checks));
});

it.each([
  ['fix', fixWith],
  ['inspect', inspectWith],
] as const)('a command that an earlier row has is referred to under the same label: %s', (label, programs) => {
  const fix = programs.kubectl({context: 'ctx'}, ['get', 'pods']);
  const rows = meshOf(2, ({cluster, id}) => (cluster === 'c1' && id !== 'MESH307' ? {result: 'error', fix} : {}));
  const lines = text(rows)
    .split('\n')
    .filter((line) => /^ {11}(fix|inspect):/.test(line));
  expect(lines.map((line) => line.trim().replace(/: +/, ': '))).toEqual([
    `${label}: kubectl --context ctx get pods`,
    `${label}: the same as for MESH103, c1`,
    `${label}: the same as for MESH103, c1`,
  ]);
});

/** Formats that other programs read: JUnit XML and Mermaid; and the matrix of -o wide. */
import {describe, expect, it} from 'vitest';
import type {Severity} from '../../../src/domain/checks/check.js';
import type {Acceptance, ClusterTopology, Discovery} from '../../../src/domain/checks/topology.js';
import type {Row} from '../../../src/domain/checks/report.js';
import {kubectlMesh, inspectWith} from '../../../src/domain/suggest/suggestion.js';
import type {VerifyResult} from '../../../src/operations/verify/verify.js';
import {verifyJunit} from '../../../src/output/views/verify-junit.js';
import {verifyMermaid} from '../../../src/output/views/verify-mermaid.js';
import {verifyShort} from '../../../src/output/views/verify-short.js';
import {verifyText, verifyWide} from '../../../src/output/views/verify-text.js';
import {now} from '../../domain/checks/healthy.js';
import type {Printed} from '../../../src/output/view.js';
import {printed} from '../../helpers/suggestions.js';

const base: Row = {
  id: 'MESH301',
  title: 'Secret cacerts equals the work directory',
  severity: 'error',
  scope: 'cluster',
  cluster: 'c1',
  result: 'ok',
  observed: 'seen',
  expected: 'wanted',
  vantage: 'API server',
  fix: '',
};

function verified(rows: readonly Partial<Row>[], clusters: readonly ClusterTopology[] = []): Printed<VerifyResult> {
  return printed({verdict: 'error', checks: rows.map((row) => ({...base, ...row})), warnings: [], mesh: {clusters}});
}

const junit = (rows: readonly Partial<Row>[], failOn: Severity = 'error'): string =>
  verifyJunit(verified(rows), {now, request: {failOn}});

/** Reads XML as strictly as these tests need: every tag closed in order, every entity known, no character forbidden. */
function elements(
  xml: string,
): readonly {readonly tag: string; readonly attributes: Readonly<Record<string, string>>}[] {
  const found: {tag: string; attributes: Record<string, string>}[] = [];
  const open: string[] = [];
  expect(xml).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/);
  const body = xml.slice(xml.indexOf('?>') + 2);
  const token = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const [all, closing, tag, attributes = '', empty, text] of body.matchAll(token)) {
    end += all.length;
    expect((text ?? attributes).replace(/&(?:amp|lt|gt|quot|apos);/g, '')).not.toMatch(
      /[&\u0000-\u0008\u000b-\u001f\ufffe]/,
    );
    if (tag === undefined) continue;
    if (closing === '/') {
      expect(open.pop()).toBe(tag);
      continue;
    }
    const values = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]);
    found.push({tag, attributes: Object.fromEntries(values) as Record<string, string>});
    if (empty !== '/') open.push(tag);
  }
  expect([end, open]).toEqual([body.length, []]);
  return found;
}

describe('-o junit', () => {
  it('has a suite for each place and a case for each row, and counts them', () => {
    const xml = junit([
      {},
      {result: 'error'},
      {id: 'MESH302', result: 'unknown', reason: 'no route'},
      {id: 'MESH105', scope: 'mesh', cluster: undefined as never, result: 'skipped', reason: '--offline'},
      {id: 'MESH307', scope: 'pair', peer: 'c2'},
    ]);
    const all = elements(xml);
    expect(all[0]).toMatchObject({
      tag: 'testsuites',
      attributes: {tests: '5', failures: '1', errors: '1', skipped: '1'},
    });
    expect(all.filter(({tag}) => tag === 'testsuite').map(({attributes}) => attributes.name)).toEqual([
      'mesh',
      'c1',
      'c1 to c2',
    ]);
    const names = all.filter(({tag}) => tag === 'testcase').map(({attributes}) => attributes.name);
    expect(names).toContain('MESH301 Secret cacerts equals the work directory');
    expect(new Set(names.map((name, index) => `${String(index)} ${name ?? ''}`)).size).toBe(5);
  });

  it('numbers the findings of one check, which CI systems would merge into one case', () => {
    const xml = junit([{result: 'error'}, {result: 'error', observed: 'more'}]);
    const names = elements(xml).flatMap(({tag, attributes}) => (tag === 'testcase' ? [attributes.name] : []));
    expect(names).toEqual([`MESH301 ${base.title}`, `MESH301 ${base.title} (2)`]);
  });

  it.each<[Severity, string]>([
    ['error', 'system-out'],
    ['warning', 'failure'],
  ])('with --fail-on %s shows a warning as %s', (failOn, tag) => {
    expect(elements(junit([{result: 'warning'}], failOn)).map((one) => one.tag)).toEqual([
      'testsuites',
      'testsuite',
      'testcase',
      tag,
    ]);
  });

  it('names the reason for an unknown row, and the cause of a consequence', () => {
    const error = {code: 'FORBIDDEN', message: 'you may not', hints: []} as const;
    const all = elements(
      junit([
        {result: 'unknown', reason: 'you may not', error},
        {id: 'MESH302', result: 'error', impliedBy: 'MESH301'},
      ]),
    );
    expect(all.find(({tag}) => tag === 'error')?.attributes).toEqual({type: 'FORBIDDEN', message: 'you may not'});
    expect(all.find(({tag}) => tag === 'failure')?.attributes.message).toBe('follows from MESH301');
  });

  it('fails when a wait timed out', () => {
    const error = {code: 'TIMEOUT', message: 'not all was well', hints: ['wait longer']} as const;
    const all = elements(verifyJunit({...verified([{}]), error}, {now, request: {failOn: 'error'}}));
    expect(all.find(({tag}) => tag === 'error')?.attributes.type).toBe('TIMEOUT');
  });

  it('is valid XML with any text from clusters', () => {
    const observed = `]]> <evil a="b" c='d'> & &nbsp; \u0000\u001b[2J\ufffe\uffff \ud800 \u{1f600}\nsecond line`;
    const all = elements(junit([{result: 'error', observed, cluster: 'c"1<>&'}]));
    expect(all.filter(({tag}) => tag === 'evil')).toEqual([]);
    expect(all.find(({tag}) => tag === 'failure')?.attributes.message).toContain('\u{1f600} second line');
  });
});

function cluster(name: string, accepts: Readonly<Record<string, Acceptance>>, more: object = {}): ClusterTopology {
  return {
    name,
    network: 'network1',
    role: 'primary',
    verdict: 'ok',
    roots: [{fingerprint: 'ab'.repeat(32), subject: 'CN=root', notAfter: now.toISOString()}],
    clusterCas: [{fingerprint: 'cd'.repeat(32), subject: `CN=${name}`, notAfter: now.toISOString()}],
    accepts: Object.entries(accepts).map(([other, result]) => ({cluster: other, result})),
    discovers: Object.keys(accepts).map((other) => ({cluster: other, result: 'none'})),
    ...more,
  };
}

describe('the command of a finding', () => {
  const shown = (fix: Row['fix']): string =>
    verifyShort(verified([{result: 'error', fix}])).slice(
      'error MESH301 c1: Secret cacerts equals the work directory: seen'.length,
    );

  it.each<[Row['fix'], string]>([
    [kubectlMesh('trust push', ['c1', '--yes']), '; fix: kubectl mesh trust push c1 --yes'],
    [kubectlMesh('journal verify', ['c1']), '; inspect: kubectl mesh journal verify c1'],
    [inspectWith.run('ls', ['-l', 'x']), '; inspect: ls -l x'],
    ['log in again', '; fix: log in again'],
    ['', ''],
  ])('%j is called what it is for', (fix, expected) => {
    expect(shown(fix)).toBe(expected);
  });

  it.each([
    [kubectlMesh('trust push', ['c1', '--yes']), true],
    [kubectlMesh('init'), false],
    [inspectWith.kubectl('any', ['get', 'pods']), false],
  ])('is explained where it agrees to a change: %j', (fix, explained) => {
    expect(verifyText(verified([{result: 'error', fix}])).includes('--dry-run instead of --yes')).toBe(explained);
  });
});

describe('-o wide', () => {
  const wide = (...clusters: ClusterTopology[]): readonly string[] => verifyWide(verified([{}], clusters)).split('\n');

  it('has a matrix: rows trust, columns are trusted', () => {
    const lines = wide(
      cluster('c1', {c2: 'no', c3: 'none'}),
      cluster('c2', {c1: 'yes', c3: 'unknown'}),
      cluster('c3', {}),
    );
    const at = lines.findIndex((line) => line.startsWith('TRUSTING'));
    expect(lines.slice(at, at + 4).map((line) => line.split(/ +/))).toEqual([
      ['TRUSTING', 'c1', 'c2', 'c3'],
      ['c1', '-', 'NO', '-'],
      ['c2', 'yes', '-', 'unknown'],
      ['c3', '-', '-', '-'],
    ]);
  });

  it('prints the evidence of what passes, and why something is unknown', () => {
    const {roots, clusterCas, ...blind} = cluster('c2', {});
    expect([roots, clusterCas]).not.toContain(undefined);
    const lines = wide(cluster('c1', {}), {...blind, unseen: ['no \u001b[31mroute']});
    expect(lines).toContain('           observed: seen');
    expect(lines.map((line) => line.split(/ {2,}/))).toContainEqual(['c2', 'unknown', 'unknown']);
    expect(lines).toContain('c2: unknown: no route');
  });

  it('folds the matrix of many clusters, and names the exceptions', () => {
    const names = Array.from({length: 20}, (_, index) => `c${String(index + 1)}`);
    const accepts = (name: string): Readonly<Record<string, Acceptance>> =>
      Object.fromEntries(
        names
          .filter((other) => other !== name)
          .map((other) => [other, name === 'c20' && other === 'c3' ? 'no' : 'yes']),
      );
    const lines = wide(...names.map((name) => cluster(name, accepts(name))));
    const at = lines.findIndex((line) => line.startsWith('TRUSTING'));
    expect(lines.slice(at, at + 3).map((line) => line.split(/ {2,}/))).toEqual([
      ['TRUSTING', 'ACCEPTS', 'NOT', 'UNKNOWN', 'WITHOUT ISTIOD'],
      ['19 of 20 clusters: c1, c2, c3, c4, c5 and 14 more', 'all', '-', '-', '-'],
      ['c20', '18', 'c3', '-', '-'],
    ]);
  });

  it('has no matrix for a single cluster', () => {
    expect(wide(cluster('c1', {})).some((line) => line.startsWith('TRUSTING'))).toBe(false);
  });
});

describe.each([
  ['-v', (result: Printed<VerifyResult>) => verifyText(result, {verbose: true})],
  ['-o wide', verifyWide],
] as const)('pairs in %s', (_, view) => {
  const names = Array.from({length: 50}, (_one, index) => `c${String(index + 1)}`);
  const bad = (cluster: string, peer: string): boolean => cluster === 'c1' && peer === 'c2';
  const rows = names.flatMap((name) =>
    names
      .filter((peer) => peer !== name)
      .map((peer): Partial<Row> => {
        const pair = {id: 'MESH307', title: 'accepts', scope: 'pair', cluster: name, peer} as const;
        if (bad(name, peer)) return {...pair, result: 'error'};
        return name === 'c3' && peer === 'c4' ? {...pair, result: 'skipped', reason: 'no\u001b[2J istiod'} : pair;
      }),
  );
  const lines = view(verified(rows)).split('\n');

  it('that only pass or are skipped are one line for each check and result, and one block if all are equal', () => {
    const at = lines.findIndex((line) => line.includes(' to the others'));
    expect(lines.slice(at, at + 9)).toEqual([
      'c1 to the others',
      '  ok       MESH307  accepts (48 of 49 clusters)',
      '',
      '48 of 50 clusters: c2, c4, c5, c6, c7 and 43 more to the others',
      '  ok       MESH307  accepts (49 of 49 clusters)',
      '',
      'c3 to the others',
      '  ok       MESH307  accepts (48 of 49 clusters)',
      '  skipped  MESH307  accepts (1 of 49 clusters: no istiod)',
    ]);
  });

  it('that do not pass have a block of their own', () => {
    expect(lines[lines.indexOf('c1 to c2') + 1]).toBe('  error    MESH307  accepts');
  });
});

describe('-o mermaid', () => {
  const mermaid = (...clusters: ClusterTopology[]): readonly string[] =>
    verifyMermaid(verified([], clusters))
      .split('\n')
      .map((line) => line.trim());

  it('draws networks, clusters with their state, and which cluster accepts which', () => {
    const lines = mermaid(
      cluster('c1', {c2: 'yes', c3: 'yes'}),
      cluster('c2', {c1: 'yes', c3: 'no'}, {network: 'network2', verdict: 'error'}),
      cluster('c3', {c1: 'unknown', c2: 'no'}, {network: 'network2', verdict: 'unknown'}),
    );
    expect(lines[0]).toBe('flowchart LR');
    expect(lines.filter((line) => line.startsWith('subgraph'))).toEqual([
      'subgraph n1["network1"]',
      'subgraph n2["network2"]',
    ]);
    expect(lines.filter((line) => /^c\d\[/.test(line)).map((line) => line.slice(line.lastIndexOf(':')))).toEqual([
      ':ok',
      ':error',
      ':unknown',
    ]);
    expect(lines.filter((line) => /^c\d .*\| c\d$/.test(line))).toEqual([
      'c1 <-->|"trust each other"| c2',
      'c1 -->|"trusts"| c3',
      'c3 -.->|"trust unknown"| c1',
      'c2 <-.->|"do not trust each other"| c3',
    ]);
    for (const state of ['ok', 'warning', 'error', 'unknown']) {
      expect(lines.some((line) => line.startsWith(`classDef ${state} `))).toBe(true);
    }
  });

  it('draws which cluster discovers which', () => {
    const discovers = (results: Readonly<Record<string, Discovery>>) => ({
      discovers: Object.entries(results).map(([other, result]) => ({cluster: other, result})),
    });
    const lines = mermaid(
      cluster('c1', {c2: 'none', c3: 'none'}, discovers({c2: 'yes', c3: 'no'})),
      cluster('c2', {c1: 'none', c3: 'none'}, discovers({c1: 'yes', c3: 'unknown'})),
      cluster('c3', {c1: 'none', c2: 'none'}, discovers({c1: 'none', c2: 'unknown'})),
    );
    expect(lines.filter((line) => /^c\d [-<=]/.test(line))).toEqual([
      'c1 <==>|"discover each other"| c2',
      'c1 -.->|"does not discover"| c3',
      'c2 <-.->|"discovery unknown"| c3',
    ]);
  });

  it('shows what was not observed as unknown', () => {
    const {roots, clusterCas, ...blind} = cluster('c1', {});
    expect([roots, clusterCas]).not.toContain(undefined);
    const [, , node] = mermaid({...blind, verdict: 'unknown'});
    expect(node).toBe('c1["c1<br/>primary<br/>root unknown<br/>CA unknown<br/>unknown"]:::unknown');
  });

  it('draws a remote without links from it, since it signs nothing', () => {
    const remote = cluster('c2', {c1: 'yes'}, {role: 'remote', primary: 'c1', clusterCas: []});
    const lines = mermaid(cluster('c1', {c2: 'none'}), remote);
    expect(lines.find((line) => line.startsWith('c2['))).toContain('remote of c1<br/>root ');
    expect(lines.filter((line) => /^c\d .*\| c\d$/.test(line))).toEqual(['c2 -->|"trusts"| c1']);
  });

  it.each(['end', '"] --> c9', '', '<script>alert(1)</script>', '%% `é` #quot; {{x}} | \\ \n;'])(
    'keeps the name %j inside its label',
    (name) => {
      const lines = mermaid(cluster(name, {}, {network: name}));
      const labels = lines.flatMap((line) => /^(?:subgraph n1|c1)\["(.*)"\](?::::ok)?$/.exec(line)?.[1] ?? []);
      expect(labels).toHaveLength(2);
      for (const label of labels) {
        expect(label).not.toBe('');
        expect(label.replaceAll('<br/>', '').replaceAll(/#\d+;/g, '')).toMatch(/^[A-Za-z0-9 .:_-]*$/);
      }
      expect(lines.filter((line) => line.startsWith('c9'))).toEqual([]);
    },
  );
});

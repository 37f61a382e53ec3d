/** No fix of any check pushes where that does not last: istiod does not read Secret cacerts, or another tool manages it. */
import {expect, it} from 'vitest';
import {checks} from '../../../src/domain/checks/registry.js';
import type {CaOrigin} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {cacertsOf, certificate, clusterCa, daysFromNow, evidence, mesh, root} from './healthy.js';

const mounted: CaOrigin = {from: 'mounted', source: {from: 'secret', name: 'mesh-ca'}};
const expiring = clusterCa('cluster1', {certificate: certificate('ca of cluster1', {notAfter: daysFromNow(2)})});
const leftover = clusterCa('cluster1', {
  roots: [root, certificate('old root', {notAfter: daysFromNow(-1), notBefore: daysFromNow(-900)})],
});
const other = clusterCa('cluster1', {problems: [{severity: 'error', message: 'x', reason: 'form'}]});

it.each([
  ['a CA that expires soon', {caFiles: expiring, cacerts: cacertsOf(expiring)}, ['MESH108', 'MESH305']],
  ['an expired root that is left over', {caFiles: leftover, cacerts: cacertsOf(leftover)}, ['MESH108', 'MESH305']],
  ['a file in another form', {caFiles: other}, ['MESH103']],
])('no fix pushes %s', (_, values, ids) => {
  const fixes = (caOrigin: CaOrigin) =>
    judgedText(checks, evidence({cluster1: {...values, caOrigin}})).checks.flatMap(({id, cluster, result, fix}) =>
      ['error', 'warning'].includes(result) && cluster === 'cluster1' ? [{id, fix}] : [],
    );
  expect(fixes(mounted).map(({id}) => id)).toEqual(expect.arrayContaining(ids));
  const pushes = /trust (?:push|rotate)/;
  for (const {fix} of fixes(mounted)) expect(fix).not.toMatch(pushes);
  expect(fixes({from: 'work directory'}).some(({fix}) => pushes.test(fix))).toBe(true);
});

it('no fix pushes a new CA to a Secret that another tool manages, which is named', () => {
  const values = {caFiles: expiring, cacerts: {...cacertsOf(expiring), managedBy: 'Argo CD application mesh'}};
  const rows = judgedText(checks, evidence({cluster1: values})).checks.filter(
    ({id, cluster}) => cluster === 'cluster1' && ['MESH108', 'MESH305'].includes(id),
  );
  expect(rows.map(({id, result}) => `${id} ${result}`)).toEqual(['MESH108 error', 'MESH305 error']);
  for (const {fix, note} of rows) {
    expect(fix).toContain('certs generate cluster1');
    expect(fix).not.toContain('trust push');
    expect(note).toContain('Argo CD application mesh');
  }
});

it('a retained key that the other Secret holds is removed without a push', () => {
  const declared = {...mesh, trust: {...mesh.trust, keepClusterKeys: false}};
  const rows = judgedText(checks, {...evidence({cluster1: {caOrigin: mounted}}), mesh: declared}).checks;
  const fixOf = (cluster: string) => rows.find((row) => row.id === 'MESH115' && row.cluster === cluster)?.fix;
  expect([fixOf('cluster1'), fixOf('cluster2')]).toMatchObject([
    expect.stringMatching(/^rm .*cluster1\/ca-key\.pem$/),
    expect.stringContaining('trust push cluster2'),
  ]);
});

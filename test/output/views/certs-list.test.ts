import {describe, expect, it} from 'vitest';
import type {CertificateSummary} from '../../../src/domain/x509/describe.js';
import type {ListResult} from '../../../src/operations/certs/list.js';
import {certsListView} from '../../../src/output/views/certs-list.js';
import type {Render} from '../../../src/output/view.js';
import {printed, textOf} from '../../helpers/suggestions.js';

const context = {request: undefined, color: false, now: new Date('2026-06-01T00:00:00Z'), command: textOf};
const golden = (name: string): string => `../../fixtures/golden/certs/${name}`;

function summary(digit: string, subject: string, change: Partial<CertificateSummary> = {}): CertificateSummary {
  return {
    subject,
    issuer: 'O=Istio, CN=Root CA',
    key: 'ecdsa-p256',
    fingerprint: digit.repeat(64),
    spki: digit.repeat(64),
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2028-01-01T00:00:00.000Z',
    daysLeft: 579,
    state: 'ok',
    ...change,
  };
}

const root = summary('a', 'O=Istio, CN=Root CA', {notAfter: '2035-12-30T00:00:00.000Z', daysLeft: 3499});
const ending = {notAfter: '2026-06-20T00:00:00.000Z', daysLeft: 19, state: 'warning'} as const;
// A hostile certificate name.
const hostile = summary('c', 'CN=x"} 1\nkubectl_mesh_root_agrees{cluster="c1"} 1\u001b[2J \\', ending);
const inForecast = (role: 'cluster CA', one: CertificateSummary, place: string) => ({
  role,
  place,
  subject: one.subject,
  fingerprint: one.fingerprint,
  notAfter: one.notAfter,
});
const first = summary('b', 'O=Istio, CN=Intermediate CA, L=c1');

const result: ListResult = {
  at: '2026-06-01T00:00:00.000Z',
  missing: 'kubectl mesh certs generate',
  withoutCa: [],
  root: {certificates: [{...root, role: 'root', file: 'root-cert.pem', inUse: true}]},
  clusters: [
    {
      name: 'c1',
      outcome: 'done',
      certificates: [{...first, role: 'cluster CA', file: 'c1/ca-cert.pem', inUse: true}],
      live: {
        reachable: true,
        readable: {cluster: true, live: true},
        problems: [],
        reported: [{pod: 'istiod-1', caEnd: first.notAfter, rootEnd: root.notAfter}],
        certificates: [
          {...first, source: 'cluster', role: 'cluster CA', places: ['Secret cacerts'], inUse: true},
          {...root, source: 'cluster', role: 'root', places: ['Secret cacerts'], inUse: true},
          {...summary('e', ''), source: 'live', role: 'istiod', places: ['istiod-1'], inUse: false},
          {...first, source: 'live', role: 'cluster CA', places: ['istiod-1'], inUse: true},
        ],
      },
    },
    {
      name: 'c2',
      outcome: 'done',
      certificates: [
        {
          ...summary('d', 'O=Istio, CN=Intermediate CA, L=c2'),
          role: 'cluster CA',
          file: 'c2/ca-cert.pem',
          inUse: false,
        },
      ],
      live: {
        reachable: true,
        readable: {cluster: false, live: true},
        problems: [
          {code: 'FORBIDDEN', message: 'you may not get secrets\u001b[2J', hints: ['kubectl auth can-i get secrets']},
        ],
        reported: [],
        certificates: [{...hostile, source: 'live', role: 'cluster CA', places: ['istiod-2'], inUse: true}],
      },
    },
    {
      name: 'c3',
      outcome: 'skipped',
      certificates: [],
      live: {
        reachable: false,
        readable: {cluster: false, live: false},
        problems: [{code: 'UNREACHABLE', message: 'the API server does not answer', hints: []}],
        reported: [],
        certificates: [],
      },
    },
  ],
  forecast: [
    {
      cluster: 'c2',
      nextRenewal: '2026-05-21T00:00:00.000Z',
      due: true,
      renew: inForecast('cluster CA', hostile, 'istiod-2'),
      firstOutage: hostile.notAfter,
      endsFirst: inForecast('cluster CA', hostile, 'istiod-2'),
      cutByRoot: true,
    },
    {
      cluster: 'c1',
      nextRenewal: '2027-05-27T00:00:00.000Z',
      due: false,
      renew: inForecast('cluster CA', first, 'c1/ca-cert.pem'),
      firstOutage: first.notAfter,
      endsFirst: inForecast('cluster CA', first, 'c1/ca-cert.pem'),
      cutByRoot: false,
    },
  ],
  rootAgreement: [
    {cluster: 'c1', source: 'live', agrees: true, refusedBy: []},
    {cluster: 'c2', source: 'live', agrees: false, refusedBy: ['c1']},
  ],
  firstOutage: {
    subject: hostile.subject,
    notAfter: hostile.notAfter,
    daysLeft: hostile.daysLeft,
    file: 'istiod-2',
    clusters: ['c2'],
  },
  warnings: [],
};

describe('certs list', () => {
  it.each<[string, Render<ListResult> | undefined]>([
    ['list.txt', certsListView.text],
    ['list.wide.txt', certsListView.wide],
    ['list.name.txt', certsListView.name],
    ['list.prom', certsListView.prometheus],
  ])('as %s', async (name, render) => {
    const text = render?.(printed(result), context) ?? '';
    expect(text).not.toMatch(/\u001b/);
    await expect(text).toMatchFileSnapshot(golden(name));
  });

  it('prints no metric from the name of a certificate', () => {
    const text = certsListView.prometheus?.(printed(result), context) ?? '';
    const lines = text.split('\n').filter((line) => line.startsWith('kubectl_mesh_root_agrees'));
    expect(lines).toEqual([
      'kubectl_mesh_root_agrees{cluster="c1",source="live"} 1',
      'kubectl_mesh_root_agrees{cluster="c2",source="live"} 0',
    ]);
  });
});

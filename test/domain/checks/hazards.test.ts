import {expect, it} from 'vitest';
import {hazardsCheck} from '../../../src/domain/checks/control-plane/hazards.js';
import type {CaOrigin} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {certificate, clusterValues, controlPlane, daysFromNow, evidence} from './healthy.js';

const {cacerts} = clusterValues('cluster1');
if (cacerts === 'absent') throw new Error('a healthy cluster has Secret cacerts');

const running = (minor: number) => [
  controlPlane('cluster1', {tag: `1.${String(minor)}.0`, version: {major: 1, minor, patch: 0}}),
];
const unread = {
  controlPlanes: running(13),
  cacerts: {...cacerts, layout: 'tls', keys: ['tls.crt', 'tls.key', 'ca.crt']},
} as const;
const ending = {
  controlPlanes: running(27),
  cacerts: {...cacerts, certificate: certificate('ca of cluster1', {notAfter: daysFromNow(0.5)})},
} as const;
const ours: CaOrigin = {from: 'work directory'};
const elsewhere: CaOrigin = {from: 'mounted', source: {from: 'secret', name: 'mesh-ca'}};
const certManager: CaOrigin = {from: 'external', managedBy: 'cert-manager Certificate istio-ca'};

it.each([
  ['is a push if the work directory holds the CA', unread, ours, /^kubectl mesh trust push cluster1 /],
  ['shows what istiod mounts if no push reaches it', unread, elsewhere, /describe secret\/mesh-ca$/],
  ['is the declared istiod if the CA is external', unread, certManager, /install apply cluster1 --force-version/],
  ['is a renewal if the work directory holds the CA', ending, ours, /^kubectl mesh certs generate cluster1 --renew /],
  [
    'is a renewal by the tool that issues an external CA',
    ending,
    certManager,
    /^cmctl .* renew -n istio-system istio-ca$/,
  ],
])('the fix of a hazard %s', (_, cluster1, caOrigin, fix) => {
  const rows = judgedText([hazardsCheck], evidence({cluster1: {...cluster1, caOrigin}})).checks;
  expect(rows.find(({cluster}) => cluster === 'cluster1')?.fix).toMatch(fix);
});

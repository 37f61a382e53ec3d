import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {known} from '../../../src/domain/observed.js';
import {
  bundleText,
  cacertsOf,
  clusterCa,
  controlPlane,
  coreRule,
  evidence,
  healthyGrants,
  istiodMetrics,
  networkGateway,
  pod,
  rbac,
  root,
  webhooks,
  workload,
  type Overrides,
} from './healthy.js';

/** Without a space, since some names are split into words. */
const hostile = "x';touch${IFS}/tmp/x;$(id)`id`'";

/** Grants a rule to a subject with a hostile name, through a binding with one. */
const granted = (...words: Parameters<typeof coreRule>): Overrides => {
  const subjects = [{kind: 'User', name: hostile}];
  const rules = [coreRule(...words)];
  return {cluster1: {rbac: rbac(...healthyGrants, {subjects, rules, namespace: 'istio-system', name: hostile})}};
};

/** Names that any user with write access to a cluster can create, each in a place that a fix includes. */
const cases: readonly (readonly [string, Overrides])[] = [
  ['MESH206', granted(['get'], ['secrets'])],
  ['MESH207', granted(['create'], ['pods/exec'])],
  ['MESH208', granted(['get'], ['secrets'], 'istio-remote-secret-cluster2')],
  [
    'MESH301',
    {
      cluster1: {
        caOrigin: {from: 'external', managedBy: `cert-manager Certificate ${hostile}`},
        cacerts: cacertsOf(clusterCa('cluster1', {key: 'different'})),
      },
    },
  ],
  [
    'MESH302',
    {
      cluster1: {
        controlPlanes: [controlPlane('cluster1', {bundleName: hostile, workload: workload(hostile)})],
        namespaces: [{name: hostile, labels: {}, terminating: false}],
        bundles: [{namespace: 'shop', text: bundleText, roots: [root.fingerprint]}],
      },
    },
  ],
  [
    'MESH306',
    {
      cluster1: {
        webhooks: webhooks('empty').map((one) => ({...one, name: hostile})),
        controlPlanes: [controlPlane('cluster1', {revision: hostile})],
      },
    },
  ],
  [
    'MESH309',
    {
      cluster1: {
        controlPlanes: [controlPlane('cluster1', {workload: workload(hostile, {pods: [pod(hostile)]})})],
        istiodMetrics: new PerPod([
          {
            name: hostile,
            observed: known(istiodMetrics('cluster1', {signingErrors: [{reason: 'CSR_ERROR', count: 1}]})),
          },
        ]),
      },
    },
  ],
  [
    'MESH402',
    {cluster1: {controlPlanes: [controlPlane('cluster1', {workload: workload(hostile, {desired: 0, pods: []})})]}},
  ],
  ...[true, false].map((crashing): readonly [string, Overrides] => [
    'MESH402',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {workload: workload('istiod', {pods: [pod(hostile, {ready: false, crashing})]})}),
        ],
      },
    },
  ]),
  [
    'MESH410',
    {
      cluster1: {
        controlPlanes: [
          controlPlane('cluster1', {
            tag: '1.18.0',
            version: {major: 1, minor: 18, patch: 0},
            workload: workload(hostile, {env: {AUTO_RELOAD_PLUGIN_CERTS: 'false'}}),
          }),
        ],
      },
    },
  ],
  ...['LoadBalancer', 'NodePort', 'ClusterIP'].map((serviceType): readonly [string, Overrides] => [
    'MESH411',
    {
      cluster1: {
        networkGateways: [networkGateway('network1', {name: hostile, namespace: hostile, addresses: [], serviceType})],
      },
    },
  ]),
];

/** The part of a command outside single quotes, which a shell interprets. */
function bare(command: string): string {
  return command.replaceAll(/'[^']*'|\\'/g, '');
}

describe('fixes', () => {
  it.each(cases)('of %s quote names from the cluster, so that a shell does not interpret them', (id, overrides) => {
    const rows = judgedText(checks, evidence(overrides)).checks;
    const fixes = rows.filter((row) => row.id === id && row.fix.includes('touch')).map(({fix}) => fix);
    expect(fixes).not.toEqual([]);
    expect(fixes.map(bare).filter((fix) => /touch|\$\(id|`/.test(fix))).toEqual([]);
  });

  it('without quotes would be detected', () => {
    expect(bare('kubectl logs x;touch y')).toMatch(/touch/);
    expect(bare("kubectl logs 'x;touch y'")).not.toMatch(/touch/);
  });
});

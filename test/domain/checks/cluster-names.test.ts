import {describe, expect, it} from 'vitest';
import {judgedText} from '../../helpers/suggestions.js';
import {PerPod, type ControlPlaneFacts} from '../../../src/domain/facts/facts.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {known} from '../../../src/domain/observed.js';
import {
  controlPlane,
  endpointsIn,
  evidence,
  gateway,
  istiodClusters,
  readCluster,
  remoteCredential,
  remoteSecret,
  remoteSecretsOf,
  services,
  workload,
  type Overrides,
} from './healthy.js';
import {clustersOf, failures} from './faults/builders.js';

/** An istiod with this name, whose proxies have this one. */
function running(clusterID: string, proxyClusterID = clusterID, change: Partial<ControlPlaneFacts> = {}) {
  return controlPlane('cluster1', {network: 'network1', clusterID, proxyClusterID, ...change});
}
/** A healthy control plane without this field. */
function without(field: 'clusterID' | 'proxyClusterID'): ControlPlaneFacts {
  const fields = Object.entries(running('cluster1')).filter(([key]) => key !== field);
  return Object.fromEntries(fields) as unknown as ControlPlaneFacts;
}
const canary = (name: string) => running(name, name, {revision: 'canary', workload: workload('istiod-canary')});
const fixOf = (id: string, overrides: Overrides): readonly (string | undefined)[] =>
  judgedText(checks, evidence(overrides))
    .checks.filter((row) => row.id === id && row.cluster === 'cluster1' && row.result !== 'ok')
    .map(({fix}) => fix);

const kubectl = 'kubectl --context kind-cluster1';
const setIstiod = (name: string): string => `${kubectl} -n istio-system set env deployment/istiod CLUSTER_ID=${name}`;
const declare = (name: string): string => `kubectl mesh init cluster1 --istio-name cluster1=${name}`;
const show = expect.stringContaining('get pods --all-namespaces') as string;

describe('the fix of another clusterName (MESH404)', () => {
  it.each<readonly [when: string, overrides: Overrides, fixes: readonly string[]]>([
    [
      'declares the name that istiod and its proxies use',
      {cluster1: {controlPlanes: [running('Kubernetes')]}},
      [declare('Kubernetes')],
    ],
    [
      'opens mesh.yaml if it declares another one',
      {cluster1: {controlPlanes: [running('Kubernetes')]}, declared1: {istioName: 'Other'}},
      ['${EDITOR:-vi} mesh.yaml'],
    ],
    [
      'shows the names of proxies if another cluster is declared with it',
      {cluster1: {controlPlanes: [running('cluster2')]}},
      [show],
    ],
    [
      'shows the names of proxies if mesh.yaml cannot declare it',
      {cluster1: {controlPlanes: [running('two words')]}},
      [show],
    ],
    [
      'restores the name of an istiod whose proxies have the declared one',
      {cluster1: {controlPlanes: [running('Kubernetes', 'cluster1')]}},
      [setIstiod('cluster1')],
    ],
    [
      'declares the name of the proxies, and restores it in istiod, if all three differ',
      {cluster1: {controlPlanes: [running('Kubernetes', 'west')]}},
      [`${declare('west')} && ${setIstiod('west')}`],
    ],
    [
      'shows the names of proxies if another revision has the declared one',
      {cluster1: {controlPlanes: [running('cluster1'), canary('Kubernetes')]}},
      [show],
    ],
    [
      'declares the name of all revisions',
      {cluster1: {controlPlanes: [running('Kubernetes'), canary('Kubernetes')]}},
      [declare('Kubernetes'), declare('Kubernetes')],
    ],
  ])('%s', (_, overrides, fixes) => {
    expect(fixOf('MESH404', overrides)).toEqual(fixes);
  });

  it.each(['MESH404', 'MESH412', 'MESH418'])('is never an installation: %s', (id) => {
    const names = ['cluster1', 'cluster2', 'Kubernetes', 'west'];
    const states = names.flatMap((istiod) => names.map((proxies): readonly [string, string] => [istiod, proxies]));
    const renaming = states
      .filter(([istiod]) => istiod !== 'cluster1')
      .flatMap(([istiod, proxies]) =>
        fixOf(id, {cluster1: {controlPlanes: [running(istiod, proxies)], ...clustersOf(istiodClusters(istiod))}}),
      );
    expect(renaming.length).toBeGreaterThan(0);
    expect(renaming.filter((fix) => fix?.includes('install') === true)).toEqual([]);
  });
});

describe('the fix of a clusterName that proxies do not have (MESH418)', () => {
  it.each<readonly [when: string, overrides: Overrides, fixes: readonly string[]]>([
    [
      'restores the name of istiod, which its proxies still have',
      {cluster1: {controlPlanes: [running('Kubernetes', 'cluster1')]}},
      [setIstiod('cluster1')],
    ],
    [
      "installs istiod's name again if it is the declared one",
      {cluster1: {controlPlanes: [running('cluster1', 'Kubernetes')]}},
      ['kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 --yes'],
    ],
    [
      'restores the name of a gateway',
      {cluster1: {gateways: [gateway({clusterID: 'Kubernetes', network: 'network1'})]}},
      [`${kubectl} -n istio-system set env deployment/istio-ingressgateway ISTIO_META_CLUSTER_ID=cluster1`],
    ],
    [
      'shows the names of proxies if revisions differ',
      {cluster1: {controlPlanes: [running('cluster1'), canary('Kubernetes')]}},
      [show],
    ],
  ])('%s', (_, overrides, fixes) => {
    expect(fixOf('MESH418', overrides)).toEqual(fixes);
  });
});

describe('cluster names that differ from Istio', () => {
  const usualName = 'istio-remote-secret-cluster1';
  const secretName = `istio-system/${usualName}`;

  it.each(['Kubernetes', 'Prod_EU.2', 'cluster1'])('are healthy where mesh.yaml declares them: %s', (istioName) => {
    const endpoints = [istioName, 'cluster2'].map((name) => endpointsIn(name, ...services));
    const discovered = {istiodDiscovery: new PerPod([{name: 'istiod-1', observed: known({endpoints})}])};
    const cluster1 = {
      controlPlanes: [running(istioName)],
      gateways: [gateway({clusterID: istioName, network: 'network1'})],
      ...clustersOf(istiodClusters(istioName, readCluster('cluster2'))),
      ...discovered,
    };
    // istioctl writes the name in mesh.yaml where Istio's cannot be part of a Secret's name.
    const secret = remoteSecret('cluster1', {credentials: [remoteCredential(istioName, {secret: usualName})]});
    const cluster2 = {
      ...discovered,
      remoteSecrets: remoteSecretsOf('cluster2', secret),
      remoteCredentials: [],
      istiodClusters: new PerPod([
        {name: 'istiod-1', observed: known(istiodClusters('cluster2', readCluster(istioName, {secretName})))},
      ]),
    };
    expect(failures({cluster1, cluster2, declared1: {istioName}})).toEqual([]);
  });

  it('are unknown where istiod takes its name from another object', () => {
    expect(failures({cluster1: {controlPlanes: [without('clusterID')]}})).toEqual(['MESH404 unknown']);
  });

  it('are not judged where the values of the injector are not there', () => {
    expect(failures({cluster1: {controlPlanes: [without('proxyClusterID')]}})).toEqual([]);
  });
});

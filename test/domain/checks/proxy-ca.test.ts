import {describe, expect, it} from 'vitest';
import {proxyCaCheck} from '../../../src/domain/checks/control-plane/proxy-ca.js';
import type {ProxyCa} from '../../../src/domain/facts/facts.js';
import {readProxyCas} from '../../../src/domain/facts/read/proxy-cas.js';
import {isIstiodAddress, isSameAddress} from '../../../src/domain/istio/ca-address.js';
import type {SignerSpec} from '../../../src/domain/mesh/signer.js';
import {judgedText} from '../../helpers/suggestions.js';
import {controlPlane, evidence, gateway, mesh, workload, type ClusterValues} from './healthy.js';

const injector = 'ConfigMap istio-sidecar-injector';
const csr = 'cert-manager-istio-csr.cert-manager.svc:443';
const reinstall = 'kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 --yes';

const proxyCas = (...addresses: readonly string[]): readonly ProxyCa[] => [
  {
    injector,
    addresses: addresses.map((value) => ({name: 'values.global.caAddress', object: injector, value})),
    providers: [],
    istiodHosts: [],
  },
];

function rowsWith(cluster1: Partial<ClusterValues>, signer?: SignerSpec, role: 'primary' | 'remote' = 'primary') {
  const trust = {...mesh.trust, ...(signer && {signer})};
  const {checks} = judgedText([proxyCaCheck], evidence({cluster1, declared1: {role}, mesh: {trust}}));
  return checks.filter(({cluster}) => cluster === 'cluster1').map(({result, fix}) => ({result, fix}));
}

describe('with istio-csr declared', () => {
  const signer = {type: 'external', issuer: 'istio-csr'} as const;
  it.each<[string, Partial<ClusterValues>, SignerSpec, string]>([
    ['its default address', {proxyCas: proxyCas(csr)}, signer, 'ok'],
    [
      'the same address in full',
      {proxyCas: proxyCas('https://cert-manager-istio-csr.cert-manager.svc.cluster.local:443')},
      signer,
      'ok',
    ],
    [
      'its declared address',
      {proxyCas: proxyCas('csr.elsewhere.svc:443')},
      {...signer, caAddress: 'csr.elsewhere.svc:443'},
      'ok',
    ],
    ['another address', {proxyCas: proxyCas(csr)}, {...signer, caAddress: 'csr.elsewhere.svc:443'}, 'error'],
    ['no address', {proxyCas: proxyCas()}, signer, 'error'],
    ['the address of istiod', {proxyCas: proxyCas('istiod.istio-system.svc:15012')}, signer, 'error'],
    [
      'an istiod that is not a CA',
      {
        proxyCas: proxyCas(csr),
        controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', {env: {ENABLE_CA_SERVER: 'false'}})})],
      },
      signer,
      'ok',
    ],
  ])('%s has the right result', (_, values, declared, result) => {
    expect(rowsWith(values, declared).map((row) => row.result)).toEqual([result]);
  });
});

describe('with another signer declared', () => {
  it('a Kubernetes signer needs an istiod that forwards requests to it', () => {
    const signer = {type: 'external', issuer: 'kubernetes-csr', signerName: 'issuers.example.com/mesh'} as const;
    const forwarding = workload('istiod', {env: {EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API'}});
    expect(rowsWith({}, signer)).toEqual([{result: 'error', fix: reinstall}]);
    expect(rowsWith({controlPlanes: [controlPlane('cluster1', {workload: forwarding})]}, signer)[0]?.result).toBe('ok');
  });

  it('SPIRE makes the address irrelevant', () => {
    expect(rowsWith({proxyCas: proxyCas(csr)}, {type: 'external', issuer: 'spire'})[0]?.result).toBe('skipped');
  });
});

describe('the fix', () => {
  const kubectl = 'kubectl --context kind-cluster1 -n istio-system';
  it.each<[string, Partial<ClusterValues>, string]>([
    ['of an injector installs what mesh.yaml declares', {proxyCas: proxyCas(csr)}, reinstall],
    [
      'of a gateway sets the address of istiod',
      {gateways: [gateway({workload: workload('gw', {env: {CA_ADDR: csr}})})]},
      `${kubectl} set env deployment/gw CA_ADDR=istiod.istio-system.svc:15012`,
    ],
    [
      'of an istiod without a CA removes the variable',
      {controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', {env: {ENABLE_CA_SERVER: 'false'}})})]},
      `${kubectl} set env deployment/istiod ENABLE_CA_SERVER-`,
    ],
  ])('%s', (_, values, fix) => {
    expect(rowsWith(values)).toEqual([{result: 'error', fix}]);
  });

  it('of a remote cluster shows the setting: its install.yaml is not rendered', () => {
    const rows = rowsWith({controlPlanes: [], proxyCas: proxyCas(csr)}, undefined, 'remote');
    expect(rows).toEqual([{result: 'error', fix: `${kubectl} get configmap istio-sidecar-injector -o yaml`}]);
  });
});

describe('the settings', () => {
  const configMap = (name: string, data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name},
    data,
  });
  const valuesOf = (global: object) => ({values: JSON.stringify({global})});
  const configMaps = [
    configMap('istio-sidecar-injector', valuesOf({caAddress: '', remotePilotAddress: '192.0.2.1'})),
    configMap('istio', {
      mesh: 'defaultConfig:\n  discoveryAddress: istiod.example.com:15012\n  proxyMetadata:\n    CA_ADDR: a:1\n',
    }),
    configMap('istio-sidecar-injector-canary', valuesOf({caAddress: 'b:1', caName: 'GkeWorkloadCertificate'})),
  ];

  it('are read from the values and from the mesh config of each revision', () => {
    const [stable, canary] = readProxyCas([{revision: 'default'}, {revision: 'canary'}], configMaps);
    expect(stable).toEqual({
      injector,
      addresses: [{name: 'proxyMetadata CA_ADDR', object: 'ConfigMap istio', value: 'a:1'}],
      providers: [],
      istiodHosts: ['istiod.example.com', '192.0.2.1'],
    });
    expect(canary?.addresses.map(({value}) => value)).toEqual(['b:1']);
    expect(canary?.providers.map(({name}) => name)).toEqual(['values.global.caName']);
  });

  it('of a revision without an istiod do not count, except in a remote cluster, which has none', () => {
    expect(readProxyCas([{revision: 'default'}], configMaps)).toHaveLength(1);
    expect(readProxyCas([], configMaps)).toHaveLength(2);
  });

  it('are unknown if the values are no YAML', () => {
    expect(() => readProxyCas([{revision: 'default'}], [configMap('istio-sidecar-injector', {values: '{{'})])).toThrow(
      expect.objectContaining({code: 'API_ERROR'}),
    );
  });
});

it.each([
  ['istiod.istio-system.svc:15012', true],
  ['istiod-1-29.istio-system.svc.example.org:15012', true],
  ['istio-pilot.istio-system.svc:15012', true],
  ['istiod.istio-system-174.svc:15012', false],
  ['istiod.example.com:15012', false],
  ['myistiod.istio-system.svc:15012', false],
  [csr, false],
])('%s: an istiod of istio-system? %s', (address, expected) => {
  expect(isIstiodAddress(address, 'istio-system')).toBe(expected);
});

it.each([
  ['a.b.svc:443', 'https://a.b.svc.cluster.local.:443/', true],
  ['a.b.svc:443', 'a.b:443', true],
  ['a.b.svc:443', 'a.b.svc:444', false],
  ['a.b.svc:443', 'a.c.svc:443', false],
  ['ca.example.com:443', 'ca.example.org:443', false],
])('%s and %s: the same address? %s', (one, other, expected) => {
  expect(isSameAddress(one, other)).toBe(expected);
});

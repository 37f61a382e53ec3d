import {describe, expect, it} from 'vitest';
import type {HazardFacts, ReadCluster} from '../../../src/domain/checks/control-plane/hazard.js';
import {hazards, hazardsOf} from '../../../src/domain/checks/control-plane/known-hazards.js';
import {affects} from '../../../src/domain/istio/since.js';
import {defined} from '../../../src/domain/defined.js';
import type {CacertsFacts} from '../../../src/domain/facts/facts.js';
import {resolveVersion, newestKnown, oldestKnown} from '../../../src/domain/istio/versions.js';
import {version} from '../istio/version.js';
import {cacertsOf, certificate, clusterCa} from './healthy.js';

const now = new Date('2026-06-01T00:00:00Z');
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);
const pem = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];
const link = (subject: string, selfSigned = false) => ({subject, selfSigned});
const chain = [link('CN=ca'), link('CN=root', true)];

function cacerts(change: Partial<CacertsFacts> = {}): CacertsFacts {
  return cacertsOf(endingAt(hours(24 * 700)), {keys: pem, layout: 'pem', chain, ...change});
}
const endingAt = (notAfter: Date) => clusterCa('ca', {certificate: certificate('ca', {notAfter})});
function facts(change: Partial<HazardFacts> = {}): HazardFacts {
  return {
    now,
    env: {},
    cacerts: cacerts(),
    hasOwnRoot: false,
    hasZtunnel: false,
    remotes: [],
    publishesLists: false,
    rotationDeclared: false,
    spansNetworks: false,
    sidecarNamespaces: [],
    allServicesGlobal: false,
    readClusters: [],
    ...change,
  };
}
const tls = cacerts({layout: 'tls', keys: ['ca.crt', 'tls.crt', 'tls.key']});
const crl = {keys: [...pem, 'ca-crl.pem'], crl: {problem: undefined, isPushed: false}};
const message = 'ca-crl.pem has no list signed by "CN=root"';
const refused = {...crl, crl: {problem: {message, isUnproven: false}, isPushed: false}};
const between = [link('CN=ca'), link('CN=between'), ...chain.slice(1)];
const marked = cacerts({keys: [...pem, 'istio-generated']});

const ambientEnv = {PILOT_ENABLE_AMBIENT: 'true', AMBIENT_ENABLE_MULTI_NETWORK: 'true'};
/** Ambient workloads and sidecars on several networks. */
const mixed = (change: Partial<HazardFacts> = {}): HazardFacts =>
  facts({hasZtunnel: true, spansNetworks: true, sidecarNamespaces: ['shop'], env: ambientEnv, ...change});
const notMixed = [
  mixed({hasZtunnel: false}),
  mixed({spansNetworks: false}),
  mixed({sidecarNamespaces: []}),
  mixed({env: {...ambientEnv, AMBIENT_ENABLE_MULTI_NETWORK: 'false'}}),
  mixed({env: {AMBIENT_ENABLE_MULTI_NETWORK: 'true'}}),
];
const withIngress = {...ambientEnv, AMBIENT_ENABLE_MULTI_NETWORK_INGRESS: 'true'};
const twoRoots = cacerts({roots: [certificate('root'), certificate('next root')]});
/** cluster2, as an istiod reads it that lost nothing; its remote secret has changed since the process started. */
const read = (
  change: Partial<Record<'changed' | 'isSynced' | 'endpoints' | 'gateways', unknown>> = {},
): HazardFacts => {
  const intact = {changed: true, isSynced: true, endpoints: 'kept', gateways: 'kept'} as const;
  return facts({
    readClusters: [
      {
        pod: 'istiod-1',
        cluster: 'cluster2',
        ...defined<Omit<ReadCluster, 'pod' | 'cluster'>>({...intact, ...change} as ReadCluster),
      },
    ],
  });
};

interface Case {
  readonly id: string;
  /** Facts to which it applies in the affected versions. */
  readonly met: HazardFacts;
  /** Unaffected versions at each boundary. */
  readonly unaffected: readonly string[];
  /** Affected versions at each boundary. */
  readonly affected: readonly string[];
  /** Similar facts to which it does not apply. */
  readonly near: readonly HazardFacts[];
}

const cases: readonly Case[] = [
  {
    id: 'tls-cacerts-unread',
    met: facts({cacerts: tls}),
    affected: ['1.6.0', '1.13.9', '1.14.1'],
    unaffected: ['1.14.2', '1.15.0', '1.31.0'],
    near: [facts(), facts({cacerts: {...tls, keys: [...tls.keys, ...pem]}}), facts({cacerts: undefined})],
  },
  {
    id: 'incomplete-cacerts-silent',
    met: facts({cacerts: cacerts({keys: ['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']})}),
    affected: ['1.6.0', '1.25.5', '1.26.0'],
    unaffected: ['1.26.1', '1.27.0', '1.31.0'],
    near: [facts(), facts({cacerts: cacerts({keys: ['root-cert.pem']})}), facts({cacerts: tls})],
  },
  {
    id: 'crl-unknown',
    met: facts({cacerts: cacerts(crl)}),
    affected: ['1.6.0', '1.26.8'],
    unaffected: ['1.27.0', '1.31.0'],
    near: [facts(), facts({cacerts: cacerts({keys: crl.keys})})],
  },
  {
    id: 'crl-unread',
    met: facts({cacerts: {...tls, ...crl}}),
    affected: ['1.27.0', '1.31.0'],
    unaffected: ['1.26.8'],
    near: [facts({cacerts: cacerts(crl)}), facts({cacerts: tls})],
  },
  {
    id: 'crl-unread',
    met: facts({cacerts: cacerts(crl), env: {PILOT_ENABLE_CA_CRL: 'false'}}),
    affected: ['1.27.0', '1.31.0'],
    unaffected: ['1.26.8'],
    near: [facts({cacerts: cacerts(crl), env: {PILOT_ENABLE_CA_CRL: 'true'}})],
  },
  {
    id: 'crl-refused',
    met: facts({cacerts: cacerts(refused)}),
    affected: ['1.27.0', '1.31.0'],
    unaffected: ['1.26.8'],
    near: [
      facts({cacerts: cacerts(crl)}),
      facts({cacerts: cacerts(refused), env: {PILOT_ENABLE_CA_CRL: 'false'}}),
      facts({cacerts: {...tls, ...refused}}),
      facts(),
    ],
  },
  {
    id: 'crl-not-cleared',
    met: facts({publishesLists: true}),
    affected: ['1.27.0', '1.30.5', '1.31.0'],
    unaffected: ['1.26.8', '1.31.1', '1.32.0'],
    near: [
      facts(),
      facts({publishesLists: true, cacerts: cacerts(crl)}),
      facts({publishesLists: true, cacerts: undefined}),
      facts({publishesLists: true, env: {PILOT_ENABLE_CA_CRL: 'false'}}),
    ],
  },
  {
    id: 'own-root-first',
    met: facts({cacerts: marked, hasOwnRoot: true, env: {USE_CACERTS_FOR_SELF_SIGNED_CA: 'true'}}),
    affected: ['1.20.0', '1.31.0'],
    unaffected: ['1.19.10'],
    near: [
      facts({cacerts: marked, env: {USE_CACERTS_FOR_SELF_SIGNED_CA: 'true'}}),
      facts({cacerts: marked, hasOwnRoot: true}),
      facts({hasOwnRoot: true, env: {USE_CACERTS_FOR_SELF_SIGNED_CA: 'true'}}),
    ],
  },
  {
    id: 'leaf-outlives-ca',
    met: facts({cacerts: cacerts(endingAt(hours(23)))}),
    affected: ['1.6.0', '1.28.6', '1.29.0', '1.29.2'],
    unaffected: ['1.28.7', '1.29.3', '1.30.0', '1.31.0'],
    near: [
      facts({cacerts: cacerts(endingAt(hours(24)))}),
      facts({cacerts: cacerts(endingAt(hours(-1)))}),
      facts({cacerts: undefined}),
    ],
  },
  {
    id: 'ztunnel-chain',
    met: facts({cacerts: cacerts({chain: between}), hasZtunnel: true}),
    affected: ['1.18.0', '1.24.3', '1.25.0'],
    unaffected: ['1.24.4', '1.25.1', '1.26.0', '1.31.0'],
    near: [facts({hasZtunnel: true}), facts({cacerts: cacerts({chain: between})})],
  },
  {
    id: 'one-root-only',
    met: facts({cacerts: twoRoots}),
    affected: ['1.24.4', '1.25.1'],
    unaffected: ['1.24.3', '1.24.5', '1.25.0', '1.25.2', '1.26.0', '1.31.0'],
    near: [facts(), facts({cacerts: undefined})],
  },
  {
    id: 'reload-switched-off',
    met: facts({env: {AUTO_RELOAD_PLUGIN_CERTS: 'false'}}),
    affected: ['1.18.0', '1.18.7'],
    unaffected: ['1.17.8', '1.19.0', '1.31.0'],
    near: [facts(), facts({env: {AUTO_RELOAD_PLUGIN_CERTS: 'true'}})],
  },
  {
    id: 'multi-root-unknown',
    met: facts({env: {ISTIO_MULTIROOT_MESH: 'true'}}),
    affected: ['1.6.0', '1.9.9'],
    unaffected: ['1.10.0', '1.31.0'],
    near: [facts(), facts({env: {ISTIO_MULTIROOT_MESH: 'false'}})],
  },
  {
    id: 'multi-root-off',
    met: facts({rotationDeclared: true}),
    affected: ['1.20.0', '1.31.0'],
    unaffected: ['1.19.10', '1.6.0'],
    near: [
      facts(),
      facts({rotationDeclared: true, env: {ISTIO_MULTIROOT_MESH: '1'}}),
      facts({rotationDeclared: true, cacerts: undefined}),
    ],
  },
  {
    id: 'remote-unmanaged',
    met: facts({remotes: ['far']}),
    affected: ['1.16.0', '1.31.0'],
    unaffected: ['1.15.7'],
    near: [facts(), facts({remotes: ['far'], env: {EXTERNAL_ISTIOD: 'true'}})],
  },
  {
    id: 'ambient-gateway-of-sidecars',
    met: mixed(),
    affected: ['1.27.0', '1.28.6'],
    unaffected: ['1.26.8', '1.29.0', '1.31.0'],
    near: notMixed,
  },
  {
    id: 'ambient-scope-of-sidecars',
    met: mixed(),
    affected: ['1.29.0', '1.31.0'],
    unaffected: ['1.28.6'],
    near: [...notMixed, mixed({allServicesGlobal: true})],
  },
  {
    id: 'ambient-ingress-to-sidecars',
    met: mixed({env: withIngress, allServicesGlobal: true}),
    affected: ['1.29.0', '1.31.0'],
    unaffected: ['1.28.6', '1.32.0'],
    near: [mixed(), mixed({env: withIngress, sidecarNamespaces: []})],
  },
  {
    id: 'endpoints-lost',
    met: read({endpoints: 'lost'}),
    affected: ['1.30.0', '1.30.3'],
    unaffected: ['1.29.7', '1.30.4', '1.31.0'],
    near: [
      read(),
      read({endpoints: 'lost', changed: false}),
      // MESH412 reports it.
      read({endpoints: 'lost', isSynced: false, changed: undefined}),
    ],
  },
  {
    id: 'gateways-lost',
    met: read({gateways: 'lost'}),
    affected: ['1.30.0', '1.30.3'],
    unaffected: ['1.29.7', '1.30.4', '1.31.0'],
    near: [read(), read({gateways: 'lost', changed: false})],
  },
  {
    id: 'changes-unread',
    met: read({isSynced: false}),
    affected: ['1.30.0', '1.30.2'],
    unaffected: ['1.29.7', '1.30.3', '1.31.0'],
    near: [read(), read({isSynced: false, changed: false}), read({isSynced: false, changed: undefined})],
  },
];

const ids = (text: string, given: HazardFacts): readonly string[] =>
  hazardsOf(version(text), given).map(({hazard}) => hazard.id);

describe.each(cases)('the hazard $id', ({id, met, affected, unaffected, near}) => {
  it.each(affected)('applies to %s, and no other hazard does', (text) => {
    expect(ids(text, met)).toEqual([id]);
  });

  it.each(unaffected)('does not apply to %s', (text) => {
    expect(ids(text, met)).not.toContain(id);
  });

  it.each(near.map((one, index) => [index, one] as const))('requires its full condition (%i)', (_, nearly) => {
    for (const text of affected) expect(ids(text, nearly)).not.toContain(id);
  });
});

describe('the table of hazards', () => {
  it('has a case for each entry and each version boundary', () => {
    expect([...new Set(cases.map(({id}) => id))]).toEqual(hazards.map(({id}) => id));
    const listed = (releases: string | readonly string[] | undefined): readonly string[] =>
      releases === undefined ? [] : typeof releases === 'string' ? [releases] : releases;
    for (const {id, from, fixedIn} of hazards) {
      const one = cases.filter((other) => other.id === id);
      const tried = one.flatMap(({affected, unaffected}) => [...affected, ...unaffected]);
      for (const release of [...listed(from), ...listed(fixedIn)]) {
        const first = release.split('.').length === 2 ? `${release}.0` : release;
        expect([id, tried]).toEqual([id, expect.arrayContaining([first])]);
      }
    }
  });

  it('has a source, a consequence and a fix for each entry', () => {
    for (const {source, consequence, expected, title, fix} of hazards) {
      expect(source).toMatch(/\.go|releasenotes|#\d+/);
      for (const text of [consequence, expected, title, fix.by]) expect(text.length).toBeGreaterThan(3);
    }
  });

  it('reports nothing for a default mesh of any version', () => {
    for (let minor = oldestKnown.minor; minor <= newestKnown.minor; minor += 1) {
      expect(ids(`1.${String(minor)}.0`, facts())).toEqual([]);
      expect(ids(`1.${String(minor)}.0`, facts({hasOwnRoot: true, hasZtunnel: true}))).toEqual([]);
    }
  });

  it('treats a version newer than the newest known as the newest known', () => {
    const {version: known} = resolveVersion('1.99.0');
    const newest = hazards.filter((hazard) => affects(hazard, newestKnown)).map(({id}) => id);
    expect(hazards.filter((hazard) => affects(hazard, known)).map(({id}) => id)).toEqual(newest);
    expect(newest).not.toContain('leaf-outlives-ca');
  });
});

describe('after a change of a remote secret, istiod 1.30.3', () => {
  const conditions = (given: HazardFacts) =>
    hazardsOf(version('1.30.3'), given).map(({hazard: {id}, condition: {severity, isUnproven}}) => [
      id,
      severity,
      isUnproven,
    ]);

  it('is known to have lost what it provably lacks, whether or not the time of the change is known', () => {
    expect(conditions(read({endpoints: 'lost'}))).toEqual([['endpoints-lost', undefined, undefined]]);
    expect(conditions(read({endpoints: 'lost', changed: undefined}))).toHaveLength(1);
  });

  it('may have lost what does not have to exist', () => {
    expect(conditions(read({endpoints: 'unclear'}))).toEqual([['endpoints-lost', undefined, true]]);
    expect(conditions(read({gateways: 'unclear', changed: undefined}))).toEqual([['gateways-lost', undefined, true]]);
    expect(conditions(read({endpoints: 'unclear', changed: false}))).toEqual([]);
  });

  it('gets a warning if it was not queried, for the time of the change alone', () => {
    const unseen = {endpoints: undefined, isSynced: undefined};
    expect(conditions(read(unseen))).toEqual([['endpoints-lost', 'warning', undefined]]);
    expect(conditions(read({...unseen, changed: false}))).toEqual([]);
    expect(conditions(read({...unseen, changed: undefined}))).toEqual([]);
  });

  it('is named with each of its pods and clusters', () => {
    const [one] = read({endpoints: 'lost'}).readClusters;
    if (!one) throw new Error('a cluster');
    const several = [one, {...one, cluster: 'cluster3'}, {...one, pod: 'istiod-2'}];
    const [found] = hazardsOf(version('1.30.3'), facts({readClusters: several}));
    expect(found?.condition.text).toMatch(/istiod-1 .*cluster2, cluster3; istiod-2 .*cluster2$/);
  });
});

it.each([true, false])('with pushed trust bundles (%j), only part of the roots is not proven', (isPushed) => {
  const env = {ISTIO_MULTIROOT_MESH: String(isPushed)};
  expect(hazardsOf(version('1.25.1'), facts({cacerts: twoRoots, env}))).toMatchObject([
    {hazard: {id: 'one-root-only'}, condition: {isUnproven: isPushed}},
  ]);
});

it.each([true, false])('lists that are not proven to be refused are unproven: %j', (isUnproven) => {
  const found = hazardsOf(
    version('1.31.0'),
    facts({cacerts: cacerts({...crl, crl: {problem: {message, isUnproven}, isPushed: false}})}),
  );
  expect(found).toMatchObject([{condition: {text: message, isUnproven}}]);
});

/** The fixes of findings about endpoint discovery, where linking again would not help. */
import {describe, expect, it} from 'vitest';
import type {RemoteKubeconfig} from '../../../../src/domain/discovery/remote-kubeconfig.js';
import {PerCluster} from '../../../../src/domain/facts/facts.js';
import {known} from '../../../../src/domain/observed.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {
  caOf,
  daysFromNow,
  evidence,
  istiodClusters,
  readCluster,
  remoteCredential,
  remoteKubeconfig,
  remoteSecretsOf,
  tokenClaims,
  type Overrides,
} from '../healthy.js';
import {linkedMesh} from '../linked-mesh.js';
import {clustersOf} from './builders.js';
import {withKubeconfig, withSecret} from './rows/discovery.js';

/** The kubeconfig for cluster2 in cluster1, which link wrote. */
const linked = (change: Partial<RemoteKubeconfig>): Overrides =>
  withSecret({
    isLinked: true,
    credentials: [remoteCredential('cluster2', {kubeconfig: remoteKubeconfig('cluster2', change)})],
  });

function fixOf(id: string, of: ReturnType<typeof evidence>): string | undefined {
  return judgedText(checks, of).checks.find((row) => row.id === id && row.cluster === 'cluster1' && row.fix !== '')
    ?.fix;
}

describe('the fix', () => {
  const otherName = {
    remoteSecrets: remoteSecretsOf('cluster1', 'absent'),
    remoteCredentials: [remoteCredential('cluster2', {secret: 'theirs'})],
    ...clustersOf(istiodClusters('cluster1', readCluster('cluster2', {secretName: 'istio-system/theirs'}))),
  };

  it('of a remote secret with another name deletes it and links', () => {
    expect(fixOf('MESH501', evidence({cluster1: otherName}))).toMatch(
      /delete secret theirs --ignore-not-found && kubectl mesh link cluster1/,
    );
  });

  it('of one beside a usual Secret without the data key, which link would leave, removes it as well', () => {
    const {remoteSecrets} = withSecret({credentials: []}).cluster1 ?? {};
    const fix = fixOf('MESH501', evidence({cluster1: {...otherName, ...(remoteSecrets && {remoteSecrets})}}));
    expect(fix).toMatch(/delete secret theirs --ignore-not-found && kubectl mesh link cluster1/);
  });

  it('of one through which istiod also reads other clusters removes the credential for the peer only', () => {
    const shared = {secretName: 'istio-system/theirs'};
    const known = istiodClusters('cluster1', readCluster('cluster2', shared), readCluster('cluster3', shared));
    const fix = fixOf('MESH501', evidence({cluster1: {...otherName, ...clustersOf(known)}}));
    expect(fix).toMatch(/patch secret theirs --type=merge .*"cluster2":null.* && kubectl mesh link cluster1/);
  });

  it('deletes nothing if link cannot replace it, because the peer has no context', () => {
    const {clusters, mesh, ...rest} = evidence({cluster1: otherName});
    const [one, two] = clusters;
    if (!one || !two) throw new Error('two clusters');
    const peer = {...two.cluster};
    delete peer.context;
    const changed = {...rest, mesh: {...mesh, clusters: [one.cluster, peer]}, clusters: [one, {...two, cluster: peer}]};
    expect(fixOf('MESH501', changed)).toBe('kubectl mesh init cluster2=CONTEXT');
  });

  it('of a Secret with several clusters removes only the data key of each, and links', () => {
    const of = linkedMesh(['c1', 'c2', 'c3'], (name) => {
      if (name !== 'c1') return {};
      const entries = ['c2', 'c3', 'gone'];
      return {
        remoteSecrets: new PerCluster(['c1', 'c2', 'c3'].map((other) => ({name: other, observed: known('absent')}))),
        remoteCredentials: entries.map((id) => remoteCredential(id, {secret: 'all'})),
        ...clustersOf(istiodClusters('c1', ...entries.map((id) => readCluster(id, {secretName: 'istio-system/all'})))),
      };
    });
    const rows = judgedText(checks, of).checks.filter(({id, cluster}) => id === 'MESH501' && cluster === 'c1');
    const patch = (id: string) =>
      `kubectl --context ctx-c1 -n istio-system patch secret all --type=merge -p '{"data":{"${id}":null}}'`;
    expect(rows.map(({fix}) => fix)).toEqual(['c2', 'c3'].map((id) => `${patch(id)} && kubectl mesh link c1 --yes`));
  });

  it('of an expired token in a Secret with another name removes that as well', () => {
    const kubeconfig = remoteKubeconfig('cluster2', {claims: tokenClaims({expiresAt: daysFromNow(-1)})});
    const credential = remoteCredential('cluster2', {secret: 'theirs', kubeconfig});
    const rows = judgedText(checks, evidence({cluster1: {...otherName, remoteCredentials: [credential]}})).checks;
    const row = rows.find(({id, cluster}) => id === 'MESH504' && cluster === 'cluster1');
    expect(row).toMatchObject({
      result: 'error',
      observed: expect.stringContaining('Secret istio-system/theirs') as unknown,
      fix: expect.stringMatching(/delete secret theirs --ignore-not-found && kubectl mesh link cluster1/) as unknown,
    });
  });

  it('of an address in a Secret with another name links as well', () => {
    const kubeconfig = remoteKubeconfig('cluster2', {address: {url: 'https://old.example.com'}});
    const credential = remoteCredential('cluster2', {secret: 'theirs', kubeconfig});
    const row = {secretName: 'istio-system/theirs', status: 'timeout'};
    const cluster1 = {
      ...otherName,
      remoteCredentials: [credential],
      ...clustersOf(istiodClusters('cluster1', readCluster('cluster2', row))),
    };
    expect(fixOf('MESH505', evidence({cluster1}))).toMatch(/delete secret theirs .* && kubectl mesh link cluster1/);
  });

  describe('first does what link requires', () => {
    const rejects = {
      acceptedTokens: new PerCluster([{name: 'cluster1', observed: known({accepted: false as const})}]),
    };
    const absent = {
      remoteSecrets: remoteSecretsOf('cluster1', 'absent'),
      ...clustersOf({known: [], listsItself: false}),
    };
    const local = {kubeconfig: {url: 'https://127.0.0.1:6443', caData: caOf('cluster2')}};
    const short = {claims: tokenClaims({issuedAt: daysFromNow(-1), expiresAt: daysFromNow(0)})};

    it.each<[string, string, Overrides, string]>([
      [
        'an address',
        'MESH501',
        {cluster1: absent, cluster2: {apiServer: local}},
        '${EDITOR:-vi} mesh.yaml && kubectl mesh link cluster1 --yes',
      ],
      [
        'a service account',
        'MESH503',
        {cluster2: {...rejects, readerAccount: false}},
        'kubectl mesh install apply cluster2 --yes && kubectl mesh link cluster1 --yes',
      ],
      ['short tokens', 'MESH504', linked(short), 'kubectl mesh link cluster1 --accept-short-tokens --yes'],
      [
        'short tokens that mesh.yaml declares',
        'MESH501',
        {cluster1: absent, mesh: {discovery: {token: 'bound', tokenLifetimeDays: 2}}},
        'kubectl mesh link cluster1 --accept-short-tokens --yes',
      ],
      [
        'the removal of a Secret that cannot be changed',
        'MESH503',
        {...withSecret({unchangeable: 'is immutable'}), cluster2: rejects},
        'kubectl --context kind-cluster1 -n istio-system delete secret istio-remote-secret-cluster2 --ignore-not-found && kubectl mesh link cluster1 --yes',
      ],
      [
        'nothing for a local address that link wrote',
        'MESH503',
        {...linked({address: {...local.kubeconfig}}), cluster2: {...rejects, apiServer: local}},
        'kubectl mesh link cluster1 --allow-local-address --yes',
      ],
    ])('%s', (_, id, overrides, expected) => {
      expect(fixOf(id, evidence(overrides))).toBe(expected);
    });

    it('with a note about the address to declare', () => {
      const of = evidence({cluster1: absent, cluster2: {apiServer: local}});
      const row = judgedText(checks, of).checks.find(({id, cluster}) => id === 'MESH501' && cluster === 'cluster1');
      expect(row?.note).toMatch(/loopback.*declare apiServer\.url of cluster2/);
    });
  });

  describe('is only shown', () => {
    const rejects = {
      acceptedTokens: new PerCluster([{name: 'cluster1', observed: known({accepted: false as const})}]),
    };
    const show = (secret: string) => `kubectl --context kind-cluster1 -n istio-system describe secret ${secret}`;
    const usual = 'istio-remote-secret-cluster2';
    const both = ['cluster2', 'cluster3'].map((id) => remoteCredential(id, {secret: usual}));
    const soon = {claims: tokenClaims({issuedAt: daysFromNow(-88), expiresAt: daysFromNow(2)})};

    it.each<[string, string, Overrides, string, RegExp]>([
      [
        'for a Secret that another tool manages, which link refuses',
        'MESH503',
        {...withSecret({managedBy: 'ExternalSecret two'}), cluster2: rejects},
        show(usual),
        /^ExternalSecret two manages Secret istio-system\/istio-remote-secret-cluster2/,
      ],
      [
        'for a token that another tool renews',
        'MESH504',
        withSecret({
          managedBy: 'Argo CD application mesh',
          credentials: [remoteCredential('cluster2', {kubeconfig: remoteKubeconfig('cluster2', soon)})],
        }),
        show(usual),
        /^Argo CD application mesh manages/,
      ],
      [
        'after the service account, without which no new token is accepted',
        'MESH503',
        {...withSecret({managedBy: 'Flux mesh'}), cluster2: {...rejects, readerAccount: false}},
        `kubectl mesh install apply cluster2 --yes && ${show(usual)}`,
        /^Flux mesh manages/,
      ],
      [
        'for a Secret of another name that another tool manages, which would restore it',
        'MESH501',
        {
          cluster1: {
            ...otherName,
            remoteCredentials: [remoteCredential('cluster2', {secret: 'theirs', managedBy: 'Argo CD'})],
          },
        },
        show('theirs'),
        /^Argo CD manages Secret istio-system\/theirs/,
      ],
      [
        'for a Secret that cannot be changed and has other clusters, too',
        'MESH503',
        {...withSecret({unchangeable: 'is immutable', credentials: both}), cluster2: rejects},
        show(usual),
        /is immutable and also has the credentials for cluster3/,
      ],
    ])('%s', (_, id, overrides, fix, note) => {
      const row = judgedText(checks, evidence(overrides)).checks.find(
        (one) => one.id === id && one.cluster === 'cluster1' && one.fix !== '',
      );
      expect(row?.fix).toBe(fix);
      expect(row?.note).toMatch(note);
    });
  });

  it('of a second Secret from which istiod reads the peer removes it, and restarts istiod', () => {
    const used = clustersOf(istiodClusters('cluster1', readCluster('cluster2', {secretName: 'istio-system/theirs'})));
    expect(fixOf('MESH502', evidence({cluster1: used}))).toMatch(
      /delete secret theirs --ignore-not-found && kubectl .* rollout restart deployment\/istiod$/,
    );
  });

  it('of a Secret that another tool restores says so', () => {
    const gone = remoteCredential('gone', {secret: 'gone', managedBy: 'Argo CD application mesh'});
    const rows = judgedText(checks, evidence({cluster1: {remoteCredentials: [gone]}})).checks;
    expect(rows.find(({id, result}) => id === 'MESH502' && result === 'warning')).toMatchObject({
      fix: expect.stringMatching(/delete secret gone/) as unknown,
      note: expect.stringMatching(/^Argo CD application mesh manages Secret istio-system\/gone/) as unknown,
    });
    const label = judgedText(checks, evidence(withSecret({labeled: false, managedBy: 'Flux mesh'}))).checks;
    expect(label.find(({id, result}) => id === 'MESH501' && result === 'error')?.note).toMatch(/^Flux mesh manages/);
  });

  it('of a peer that the reader may not read restores its rights if they are missing', () => {
    const of = evidence({
      cluster1: clustersOf(istiodClusters('cluster1', readCluster('cluster2', {status: 'timeout'}))),
    });
    expect(fixOf('MESH506', of)).toMatch(
      /can-i list services .* \| grep '\^no' && kubectl mesh install apply cluster2 --yes$/,
    );
  });

  it('of a peer that istiod does not list links it, if no Secret was read', () => {
    const of = evidence({
      cluster1: clustersOf({known: [{id: 'cluster1', secretName: '', status: 'synced'}], listsItself: true}),
      facts1: {remoteSecrets: {omitted: '--no-secrets'}},
    });
    expect(fixOf('MESH506', of)).toMatch(/^kubectl mesh link cluster1/);
  });

  it('of an unverified server declares it first, if the kubeconfig does not verify it either', () => {
    const insecure = {kubeconfig: {url: 'https://cluster2.example.com:6443', insecure: true as const}};
    const of = evidence({...withKubeconfig({insecure: true}), cluster2: {apiServer: insecure}});
    expect(fixOf('MESH505', of)).toMatch(/mesh\.yaml.* && kubectl mesh link cluster1/);
  });
});

/** The fixes of findings about endpoint discovery, where linking again would not help. */
import {describe, expect, it} from 'vitest';
import {checks} from '../../../../src/domain/checks/registry.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {evidence, istiodClusters, readCluster, remoteCredential, remoteSecretsOf} from '../healthy.js';
import {clustersOf} from './builders.js';
import {withKubeconfig} from './rows/discovery.js';

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
      /delete secret theirs && kubectl mesh link cluster1/,
    );
  });

  it('of one through which istiod also reads other clusters removes the credential for the peer only', () => {
    const shared = {secretName: 'istio-system/theirs'};
    const known = istiodClusters('cluster1', readCluster('cluster2', shared), readCluster('cluster3', shared));
    const fix = fixOf('MESH501', evidence({cluster1: {...otherName, ...clustersOf(known)}}));
    expect(fix).toMatch(/patch secret theirs --type=json .*"remove".*\/data\/cluster2.* && kubectl mesh link cluster1/);
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

  it('of a peer that istiod does not know links it, if no Secret was read', () => {
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

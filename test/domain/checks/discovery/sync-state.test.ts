/** MESH506 and MESH503: what pods report about a peer, and from when on that counts. */
import {describe, expect, it} from 'vitest';
import {syncedCheck} from '../../../../src/domain/checks/discovery/synced.js';
import {syncStateOf} from '../../../../src/domain/checks/discovery/sync-state.js';
import {tokenCheck} from '../../../../src/domain/checks/discovery/token.js';
import {PerCluster, PerPod, type IstiodClusters} from '../../../../src/domain/facts/facts.js';
import {known} from '../../../../src/domain/observed.js';
import {Sensitive} from '../../../../src/domain/sensitive.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {
  apiServerOf,
  clusters,
  controlPlane,
  evidence,
  istiodClusters,
  now,
  pod,
  readCluster,
  remoteCredential,
  remoteSecret,
  remoteSecretsOf,
  workload,
} from '../healthy.js';

const reports = (status: string) => istiodClusters('cluster1', readCluster('cluster2', {status}));
const knowsNobody: IstiodClusters = {known: [{id: 'cluster1', secretName: '', status: 'synced'}], listsItself: true};
const tooOld: IstiodClusters = {listsItself: false};
const hidesTimeouts: IstiodClusters = {...reports('synced'), hidesTimeouts: true};

interface Given {
  readonly pods: readonly IstiodClusters[];
  readonly startedMs?: number;
  readonly writtenMs?: number;
}

const ago = (ms: number): Date => new Date(now.getTime() - ms);

/** The rows of MESH506, and of MESH503 for a token that no service account has. */
function rowsOf({pods, startedMs = 3_600_000, writtenMs = 3_600_000}: Given) {
  const names = pods.map((_, index) => `istiod-${String(index + 1)}`);
  const kubeconfig = {address: apiServerOf('cluster2'), token: new Sensitive('opaque'), rejected: []};
  const istiod = workload('istiod', {pods: names.map((name) => pod(name, {startedAt: ago(startedMs)}))});
  const all = evidence({
    cluster1: {
      controlPlanes: [controlPlane('cluster1', {network: 'network1', workload: istiod})],
      istiodClusters: new PerPod(pods.map((value, index) => ({name: names[index] ?? '', observed: known(value)}))),
      remoteSecrets: remoteSecretsOf(
        'cluster1',
        remoteSecret('cluster2', {
          writtenAt: ago(writtenMs),
          credentials: [remoteCredential('cluster2', {kubeconfig})],
        }),
      ),
    },
    cluster2: {
      acceptedTokens: new PerCluster([
        {name: 'cluster1', observed: known({accepted: false as const, reason: 'invalid bearer token'})},
      ]),
    },
  });
  const rows = judgedText([tokenCheck, syncedCheck], all).checks.filter(({cluster}) => cluster === 'cluster1');
  return {
    synced: rows.filter(({id}) => id === 'MESH506'),
    token: rows.filter(({id}) => id === 'MESH503').map(({result}) => result),
  };
}

const syncedIn = (given: Given) => rowsOf(given).synced.map(({result}) => result);

describe('every istiod has synced the peer', () => {
  it.each<readonly [string, readonly IstiodClusters[], readonly string[]]>([
    ['both have', [reports('synced'), reports('synced')], ['ok']],
    ['one has not', [reports('synced'), reports('timeout')], ['error']],
    ['one does not report it', [reports('synced'), tooOld], ['skipped']],
    ['one does not report timeouts', [hidesTimeouts, reports('synced')], ['skipped']],
    ['none reports it', [tooOld, hidesTimeouts], ['skipped']],
    ['one does not report it, the other has not', [tooOld, reports('timeout')], ['error']],
    ['one that does not report timeouts does not know it', [{...knowsNobody, hidesTimeouts: true}], ['error']],
  ])('if %s', (_, pods, expected) => {
    expect(syncedIn({pods})).toEqual(expected);
  });

  it('names the istiods that do not report it', () => {
    expect(rowsOf({pods: [reports('synced'), tooOld]}).synced[0]?.reason).toContain('istiod-2');
  });

  it.each(['syncing', 'timeout', 'closed'])('is unknown at first, then not: %s', (status) => {
    const pods = [reports(status)];
    expect(syncedIn({pods})).toEqual(['error']);
    expect(syncedIn({pods, startedMs: 3000})).toEqual(['unknown']);
    expect(syncedIn({pods, writtenMs: 3000})).toEqual(['unknown']);
    expect(syncedIn({pods, writtenMs: -3000})).toEqual(['unknown']);
    expect(syncedIn({pods, writtenMs: -600_000})).toEqual(['error']);
  });
});

describe('a rejected token that no service account has', () => {
  it.each<readonly [string, Omit<Given, 'pods'>, string]>([
    ['synced', {}, 'skipped'],
    ['syncing', {}, 'error'],
    ['syncing', {startedMs: 3000}, 'unknown'],
    ['timeout', {writtenMs: 3000}, 'unknown'],
    ['timeout', {}, 'error'],
  ])('is judged by what istiod reports: %s %o', (status, times, expected) => {
    expect(rowsOf({pods: [reports(status)], ...times}).token).toEqual([expected]);
  });
});

it('is not what istiod reports about its own cluster, should that have the name of the peer', () => {
  const [, peer] = clusters;
  const own: IstiodClusters = {known: [{id: 'cluster2', secretName: '', status: 'synced'}], listsItself: true};
  expect(peer && syncStateOf([{name: 'istiod-1', value: own}], peer)).toBe('not synced');
});

/** The text of findings about discovery in a mesh of six clusters: each fault is one block with one command. */
import {describe, expect, it} from 'vitest';
import {judge} from '../../../src/domain/checks/judge.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {topologyOf} from '../../../src/domain/checks/topology.js';
import {PerCluster, PerPod, type Evidence, type IstiodClusters} from '../../../src/domain/facts/facts.js';
import {known} from '../../../src/domain/observed.js';
import {verifyText} from '../../../src/output/views/verify-text.js';
import {linkedMesh, type ClusterValues} from '../../domain/checks/linked-mesh.js';
import {istiodClusters, readCluster, remoteKubeconfig, tokenClaims, daysFromNow} from '../../domain/checks/healthy.js';
import {printed} from '../../helpers/suggestions.js';

const names = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'] as const;
const discovery = checks.filter(({id}) => id.startsWith('MESH5'));

/** The blocks about pairs: place, check and fixes. */
function blocks(of: Evidence): readonly string[] {
  const report = judge(discovery, of);
  const text = verifyText(printed({...report, warnings: [], mesh: topologyOf(of, report)}));
  const found: string[][] = [];
  for (const line of text.split('\n')) {
    if (/ pairs?\)$/.test(line)) found.push([line]);
    else if (/^ {2}(error|warning|unknown) /.test(line)) found.at(-1)?.push(line.trim().split(/ +/, 2).join(' '));
    else if (/^ {11}(fix|inspect): /.test(line)) found.at(-1)?.push(line.trim().replace(/: +/, ': '));
  }
  return found.map((block) => block.join(' | '));
}

const reading = (
  reader: string,
  peers: readonly string[],
  status = 'synced',
): Pick<ClusterValues, 'istiodClusters'> => {
  const value: IstiodClusters = istiodClusters(reader, ...peers.map((peer) => readCluster(peer, {status})));
  // As in a real mesh, no two pods have the same name.
  return {istiodClusters: new PerPod([{name: `istiod-${reader}`, observed: known(value)}])};
};
const others = (name: string): readonly string[] => names.filter((other) => other !== name);

/** The remote secrets for some peers do not exist. */
const lacking = (name: string, values: ClusterValues, peers: readonly string[]): Partial<ClusterValues> => ({
  remoteSecrets: new PerCluster(
    values.remoteSecrets.parts.map((part) => (peers.includes(part.name) ? {...part, observed: known('absent')} : part)),
  ),
  ...reading(
    name,
    others(name).filter((peer) => !peers.includes(peer)),
  ),
});

describe('of six clusters', () => {
  it.each<[string, (name: string, values: ClusterValues) => Partial<ClusterValues>, readonly string[]]>([
    [
      'all lack the remote secret for c6',
      (name, values) => (name === 'c6' ? {} : lacking(name, values, ['c6'])),
      ['c1, c2, c3, c4, c5 to c6 (5 pairs) | error MESH501 | fix: kubectl mesh link c1 c2 c3 c4 c5 --yes'],
    ],
    [
      'c1 lacks all remote secrets',
      (name, values) => (name === 'c1' ? lacking(name, values, others(name)) : {}),
      ['c1 to c2, c3, c4, c5, c6 (5 pairs) | error MESH501 | fix: kubectl mesh link c1 --yes'],
    ],
    [
      'none has a remote secret',
      (name, values) => lacking(name, values, others(name)),
      [
        'c1, c2, c3, c4, c5 and 1 more to each other (30 pairs) | error MESH501 | fix: kubectl mesh link c1 c2 c3 c4 c5 c6 --yes',
      ],
    ],
    [
      'c6 rejects all tokens',
      (name, {acceptedTokens}) => ({
        ...(name === 'c6' && {
          acceptedTokens: new PerCluster(
            acceptedTokens.parts.map((part) => ({
              ...part,
              observed: known({accepted: false as const, reason: 'invalid bearer token'}),
            })),
          ),
        }),
      }),
      ['c1, c2, c3, c4, c5 to c6 (5 pairs) | error MESH503 | fix: kubectl mesh link c1 c2 c3 c4 c5 --yes'],
    ],
    [
      'all tokens for c6 expire soon',
      (name, values) => ({
        remoteSecrets: new PerCluster(
          values.remoteSecrets.parts.map((part) => {
            const {observed} = part;
            if (part.name !== 'c6' || !('value' in observed) || observed.value === 'absent') return part;
            const claims = tokenClaims({
              issuedAt: daysFromNow(-88),
              expiresAt: new Date(daysFromNow(2).getTime() + Number(name.slice(1)) * 60_000),
            });
            const credentials = observed.value.credentials.map((one) => ({
              ...one,
              kubeconfig: remoteKubeconfig('c6', {claims}),
            }));
            return {...part, observed: known({...observed.value, credentials})};
          }),
        ),
      }),
      ['c1, c2, c3, c4, c5 to c6 (5 pairs) | error MESH504 | fix: kubectl mesh link c1 c2 c3 c4 c5 --yes'],
    ],
  ])('%s', (_, change, expected) => {
    expect(blocks(linkedMesh(names, change))).toEqual(expected);
  });

  it('JSON has the findings without what text folds them by', () => {
    const of = linkedMesh(names, (name, values) => lacking(name, values, others(name)));
    const report = judge(discovery, of);
    const findings = report.checks.filter(({kind}) => kind !== undefined);
    expect(findings.length).toBeGreaterThan(0);
    const parsed = JSON.parse(JSON.stringify(findings)) as readonly object[];
    expect(parsed.filter((row) => 'kind' in row)).toEqual([]);
  });

  it('no istiod has synced c6', () => {
    const of = linkedMesh(names, (name) => {
      if (name === 'c6') return {};
      const read = others(name).map((peer) => readCluster(peer, peer === 'c6' ? {status: 'timeout'} : {}));
      return {
        istiodClusters: new PerPod([{name: `istiod-${name}`, observed: known(istiodClusters(name, ...read))}]),
      };
    });
    const [block = '', ...more] = blocks(of);
    expect(more).toEqual([]);
    expect(block).toMatch(/^c1, c2, c3, c4, c5 to c6 \(5 pairs\) \| error MESH506 \| fix: /);
  });
});

/** MESH507: the services of a peer that a reader's istiod lacks, with what two requests can show. */
import {describe, expect, it} from 'vitest';
import {endpointsCheck} from '../../../../src/domain/checks/discovery/endpoints.js';
import {PerPod, type ClusterEndpoints, type NamespaceFacts} from '../../../../src/domain/facts/facts.js';
import {known} from '../../../../src/domain/observed.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {controlPlane, endpointsIn, evidence} from '../healthy.js';

const shop = Array.from({length: 100}, (_, index) => `shop/s${String(index)}`);
const all = ['default/kubernetes', ...shop];

/** What istiods list of cluster2: the first answer, and the second one if there was a second request. */
interface Given {
  readonly reader: readonly [first: readonly string[], second?: readonly string[]];
  readonly peer?: readonly [first: readonly string[], second?: readonly string[]];
  /** In cluster1. */
  readonly here?: readonly string[];
  readonly discoverySelectors?: readonly object[];
  readonly namespaces?: readonly NamespaceFacts[];
  /** The reader has a second pod, of a version that does not list them. */
  readonly isMixed?: true;
}

function rowsOf({reader, peer = [all, all], here = all, discoverySelectors = [], ...given}: Given) {
  const {namespaces, isMixed} = given;
  const seen = (names: readonly string[]): readonly ClusterEndpoints[] => [
    endpointsIn('cluster1', ...here),
    ...(names.length === 0 ? [] : [endpointsIn('cluster2', ...names)]),
  ];
  const facts = ([first, second]: Given['reader']) => ({
    istiodDiscovery: new PerPod([{name: 'istiod-1', observed: known({endpoints: seen(first)})}]),
    endpointsAgain: new PerPod(second ? [{name: 'istiod-1', observed: known(seen(second))}] : []),
  });
  const own = facts(reader);
  const silent = {name: 'istiod-2', observed: known({})};
  const overrides = {
    cluster1: {
      ...own,
      ...(isMixed && {istiodDiscovery: new PerPod([...own.istiodDiscovery.parts, silent])}),
      controlPlanes: [controlPlane('cluster1', {network: 'network1', discoverySelectors})],
    },
    cluster2: {...facts(peer), ...(namespaces && {namespaces})},
  };
  return judgedText([endpointsCheck], evidence(overrides)).checks.filter(({cluster}) => cluster === 'cluster1');
}

const some = ['default/kubernetes', 'shop/s1'];

describe('a reader', () => {
  it.each<readonly [string, Given, string]>([
    ['has all', {reader: [all]}, 'ok'],
    ['lacks most services twice', {reader: [some, some]}, 'warning'],
    ['lacks one twice', {reader: [all.slice(0, -1), all.slice(0, -1)]}, 'warning'],
    ['lacks all twice', {reader: [[], []]}, 'error'],
    ['lacks that of the API server twice', {reader: [shop, shop]}, 'error'],
    ['lacks some at first', {reader: [some, all]}, 'ok'],
    ['lacks all at first', {reader: [[], all]}, 'ok'],
    ['lacks others at the second request', {reader: [all.slice(1), all.slice(0, -1)]}, 'ok'],
    ['lacks what the peer has deleted', {reader: [some, some], peer: [all, some]}, 'ok'],
    ['lacks what the peer has just created', {reader: [some, some], peer: [some, all]}, 'ok'],
    ['lacks what does not exist here', {reader: [some, some], here: some}, 'ok'],
    ['lacks some, and was not queried again', {reader: [some]}, 'unknown'],
  ])('that %s: %o', (_, given, expected) => {
    expect(rowsOf(given).map(({result}) => result)).toEqual([expected]);
  });

  it.each<readonly [string, readonly string[], readonly object[], string]>([
    ['any endpoint suffices', some, [{matchLabels: {mesh: 'yes'}}], 'ok'],
    ['none shows nothing, if discoverySelectors may explain it', [], [{matchLabels: {mesh: 'yes'}}], 'skipped'],
    ['none is an error, if the reader reads all namespaces', [], [], 'error'],
  ])('of a peer whose own endpoints are unknown: %s', (_, first, discoverySelectors, expected) => {
    expect(rowsOf({reader: [first], peer: [[]], discoverySelectors}).map(({result}) => result)).toEqual([expected]);
  });

  it.each<readonly [string, readonly string[], string]>([
    ['skipped if the other pod has all', all, 'skipped'],
    ['a finding if the other pod lacks one', [], 'error'],
  ])('with a pod that does not list its endpoints is %s', (_, names, expected) => {
    const [row, ...more] = rowsOf({reader: [names, names], isMixed: true});
    expect([row?.result, more]).toEqual([expected, []]);
    expect(expected === 'skipped' ? row?.reason : row?.observed).toMatch(
      expected === 'skipped' ? /istiod-2/ : /istiod-1/,
    );
  });

  it('that lacks services twice is reported with their number and three names', () => {
    const [row] = rowsOf({reader: [some, some]});
    expect(row?.observed).toMatch(/99 of 101 .*: shop\/s0, shop\/s2, shop\/s3 and 96 more/);
  });

  it('need not have namespaces that its discoverySelectors exclude', () => {
    const given: Given = {
      reader: [['default/kubernetes'], ['default/kubernetes']],
      discoverySelectors: [{matchLabels: {mesh: 'yes'}}],
      namespaces: [
        {name: 'default', labels: {mesh: 'yes'}, terminating: false},
        {name: 'shop', labels: {}, terminating: false},
      ],
    };
    expect(rowsOf(given).map(({result}) => result)).toEqual(['ok']);
    const both = given.namespaces?.map((one) => ({...one, labels: {mesh: 'yes'}}));
    expect(rowsOf({...given, ...(both && {namespaces: both})}).map(({result}) => result)).toEqual(['warning']);
  });
});
